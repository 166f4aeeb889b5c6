//! HTTP/1 bytes <-> typed heads and framing, sans-io. The only place that names httparse.

pub mod head;

pub use head::{Limits, Parsed, RequestHead, Violation, parse_request_head};

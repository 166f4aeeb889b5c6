//! HTTP/1 bytes <-> typed heads and framing, sans-io. The only place that names httparse.

pub mod body;
pub mod fields;
pub mod framing;
pub mod head;
pub mod host;
pub mod request_line;
pub mod response;
pub mod violation;
pub mod write;

mod octets;
mod scan;

pub use body::{BodyDecoder, Decoded};
pub use fields::{Field, Fields};
pub use framing::Framing;
pub use head::{Limits, Parsed, RequestHead, RequestParser, parse_request_head};
pub use host::Host;
pub use request_line::{TargetForm, Version};
pub use response::{ResponseHead, ResponseParser};
pub use violation::Violation;
pub use write::{CONTINUE, HeadWriter, LAST_CHUNK, status_phrase, write_chunk};

#[cfg(test)]
mod tests;

//! The product's sources that parse hostile bytes, compiled as they stand: so no TLS or BPF library need be instrumented.
#![allow(dead_code, unused_imports)]

#[path = "../../waf-user/src/engine/mod.rs"]
pub mod engine;
#[path = "../../waf-user/src/http/mod.rs"]
pub mod http;

pub mod rules;

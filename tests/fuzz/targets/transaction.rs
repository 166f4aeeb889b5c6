//! Any bytes as a request and its response, judged by the installed rules.
#![no_main]

use waf_fuzz::{engine, rules};

libfuzzer_sys::fuzz_target!(|input: &[u8]| engine::exercise::transaction(rules::installed(), input));

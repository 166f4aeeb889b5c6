//! Any bytes as a body in a Content-Encoding.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| waf_fuzz::engine::exercise::coding(input));

//! Any bytes as multipart/form-data.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| waf_fuzz::engine::exercise::multipart(input));

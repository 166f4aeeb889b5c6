//! Any bytes as a pattern and as a value.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| waf_fuzz::engine::exercise::pattern(input));

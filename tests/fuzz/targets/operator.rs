//! Any bytes as an operator's argument and as its value.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| waf_fuzz::engine::exercise::operator(input));

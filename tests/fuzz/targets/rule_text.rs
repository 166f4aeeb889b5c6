//! Any bytes as rule text.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| waf_fuzz::engine::exercise::rule_text(input));

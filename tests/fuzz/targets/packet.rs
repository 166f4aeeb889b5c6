//! Any bytes as a frame: the parser comes to an end, stays inside them, and does not look behind its bound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waf_common::limits::PARSE_BYTES_MAX;
use waf_common::packet::{Parsed, ParsedFrame, parse};

fuzz_target!(|frame: &[u8]| {
    let parsed = parse(frame);
    if let Some((seen, unseen)) = frame.split_at_checked(PARSE_BYTES_MAX) {
        let other: Vec<u8> = seen.iter().copied().chain(unseen.iter().map(|byte| !byte)).collect();
        assert_eq!(parsed, parse(other.as_slice()));
    }
    if let Parsed::Ip(packet) = parsed {
        assert!(packet.malformed.is_some() || usize::from(packet.transport_offset) <= frame.len());
    }
    // The same in the form that the kernel half reports.
    let _ = ParsedFrame::from(parsed);
});

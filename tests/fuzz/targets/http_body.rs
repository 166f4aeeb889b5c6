//! Any bytes as a body, by every framing: whole and piece by piece give the same content and the same end.
#![no_main]

use libfuzzer_sys::fuzz_target;

use waf_fuzz::http::{BodyDecoder, Framing, Violation};

fuzz_target!(|input: &[u8]| {
    let [kind, step, bytes @ ..] = input else { return };
    let framing = match kind % 8 {
        0 => Framing::None,
        1 => Framing::UntilClose,
        2 => Framing::Length(u64::from(*kind)),
        3 => Framing::Length(u64::MAX),
        _ => Framing::Chunked,
    };
    let whole = decode(framing, bytes, bytes.len().max(1));
    let pieces = decode(framing, bytes, usize::from(*step).max(1));
    assert_eq!(whole, pieces);
});

/// Content, bytes used, and how it ended, from a connection that brings `step` more bytes at a time.
fn decode(framing: Framing, bytes: &[u8], step: usize) -> (Vec<u8>, usize, Option<Violation>, bool) {
    let mut decoder = BodyDecoder::new(framing);
    let (mut content, mut used) = (Vec::new(), 0);
    let ends = (0..bytes.len()).step_by(step).chain([bytes.len()]);
    for end in ends {
        while !decoder.is_done() {
            match decoder.decode(&bytes[used..end.max(used)]) {
                Err(violation) => return (content, used, Some(violation), false),
                Ok(step) if step.consumed == 0 => break,
                Ok(step) => {
                    assert!(step.data.len() <= step.consumed && used + step.consumed <= end);
                    content.extend_from_slice(step.data);
                    used += step.consumed;
                }
            }
        }
    }
    let end = decoder.end().err();
    (content, used, end, decoder.is_done())
}

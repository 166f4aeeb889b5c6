//! Capture files of both byte orders, and what is wrong with others.

use super::*;

fn file(magic: u32, link_type: u32, frames: &[&[u8]], write: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [magic, 0x0004_0002, 0, 0, 65_535, link_type] {
        bytes.extend(write(word));
    }
    for frame in frames {
        for word in [1, 2, frame.len() as u32, frame.len() as u32 + 4] {
            bytes.extend(write(word));
        }
        bytes.extend(*frame);
    }
    bytes
}

#[test]
fn frames_are_found_by_number() {
    let frames: &[&[u8]] = &[b"first", b"second"];
    for (name, magic, write) in [
        ("little", MAGIC[0], u32::to_le_bytes as fn(u32) -> [u8; 4]),
        ("big", MAGIC[0], u32::to_be_bytes),
        ("nanoseconds", MAGIC[1], u32::to_le_bytes),
    ] {
        let bytes = file(magic, 1, frames, write);
        assert_eq!(frame(&bytes, 1), Ok(&b"first"[..]), "{name}");
        assert_eq!(frame(&bytes, 2), Ok(&b"second"[..]), "{name}");
        for wanted in [0, 3] {
            assert_eq!(frame(&bytes, wanted), Err(CaptureError::NoFrame { wanted, frames: 2 }), "{name}");
        }
    }
}

#[test]
fn other_files_are_named() {
    let whole = file(MAGIC[0], 1, &[b"first"], u32::to_le_bytes);
    let cooked = file(MAGIC[0], 113, &[], u32::to_le_bytes);
    let next = file(MAGIC_PCAPNG, 1, &[], u32::to_le_bytes);
    for (name, bytes, expected) in [
        ("empty", &whole[..0], CaptureError::NoCapture),
        ("text", &b"no capture at all, but long enough"[..], CaptureError::NoCapture),
        ("header cut off", &whole[..20], CaptureError::NoCapture),
        ("record header cut off", &whole[..30], CaptureError::Cut(1)),
        ("frame cut off", &whole[..whole.len() - 1], CaptureError::Cut(1)),
        ("no frame", &whole[..24], CaptureError::NoFrame { wanted: 1, frames: 0 }),
        ("Linux cooked", &cooked, CaptureError::LinkType(113)),
        ("pcapng", &next, CaptureError::NextGeneration),
    ] {
        assert_eq!(frame(bytes, 1), Err(expected), "{name}");
    }
}

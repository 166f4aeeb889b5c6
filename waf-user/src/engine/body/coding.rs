//! Content-Encoding of a request (RFC 9110 §8.4) undone, with a cap on what comes out: the origin would do the same, and
//! what it sees is what must be judged.

use std::io::{self, Read};

use brotli_decompressor::Decompressor;
use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::BodyError;

/// Codings on top of each other that are undone; more are refused: no client sends two. One is undone at a time, in one
/// go, so that a worker holds one decoder's window: 32 KiB for gzip and deflate, up to 16 MiB for br (RFC 7932 §9.1).
const LAYERS: usize = 2;

/// A decoded body, and whether more would have come.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    pub body: Vec<u8>,
    pub is_cut: bool,
}

/// Undoes every coding of a header, last one first. `is_cut`: the coded body itself ends early. None: none is there.
pub fn decode(
    header: &[u8],
    body: &[u8],
    bytes_max: usize,
    is_cut: bool,
) -> Option<Result<Decoded, BodyError>> {
    let codings = header.split(|byte| *byte == b',').map(|name| name.trim_ascii().to_ascii_lowercase());
    let codings: Vec<Vec<u8>> = codings.filter(|name| !name.is_empty() && name != b"identity").collect();
    if codings.is_empty() {
        return None;
    }
    if codings.len() > LAYERS {
        return Some(Err(BodyError::Coding));
    }
    let mut decoded = Decoded { body: body.to_vec(), is_cut };
    for coding in codings.iter().rev() {
        let source = decoded.body.as_slice();
        let outcome = match coding.as_slice() {
            b"gzip" | b"x-gzip" => drain(MultiGzDecoder::new(source), bytes_max, decoded.is_cut),
            b"deflate" => drain(ZlibDecoder::new(source), bytes_max, decoded.is_cut),
            b"br" => drain(Decompressor::new(source, 4096), bytes_max, decoded.is_cut),
            _ => Err(BodyError::Coding),
        };
        match outcome {
            Ok(next) => decoded = next,
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(decoded))
}

fn drain(mut source: impl Read, bytes_max: usize, is_cut: bool) -> Result<Decoded, BodyError> {
    let mut body = Vec::new();
    let mut chunk = [0_u8; 8192];
    loop {
        match source.read(&mut chunk) {
            Ok(0) => return Ok(Decoded { body, is_cut }),
            Ok(length) => {
                let room = bytes_max - body.len();
                body.extend_from_slice(chunk.get(..length.min(room)).unwrap_or_default());
                if length > room {
                    return Ok(Decoded { body, is_cut: true });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if is_cut => return Ok(Decoded { body, is_cut }),
            Err(_) => return Err(BodyError::Coding),
        }
    }
}

#[cfg(test)]
mod tests;

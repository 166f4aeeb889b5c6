//! Codings undone, capped, refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::{Decoded, decode};
use crate::engine::body::BodyError;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("writes to memory");
    encoder.finish().expect("ends in memory")
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("writes to memory");
    encoder.finish().expect("ends in memory")
}

/// (header, body, what comes out)
type Row<'a> = (&'a str, Vec<u8>, Option<Result<Decoded, BodyError>>);

#[test]
fn codings() {
    let whole = |text: &[u8]| Some(Ok(Decoded { body: text.to_vec(), is_cut: false }));
    let rows: &[Row<'_>] = &[
        ("identity", b"a=1".to_vec(), None),
        ("gzip", gzip(b"a=1"), whole(b"a=1")),
        ("X-Gzip", gzip(b"a=1"), whole(b"a=1")),
        ("deflate", deflate(b"a=1"), whole(b"a=1")),
        ("deflate, gzip", gzip(&deflate(b"a=1")), whole(b"a=1")),
        ("br", vec![0x0b, 0x01, 0x80, b'a', b'=', b'1', 0x03], whole(b"a=1")),
        ("gzip", b"a=1".to_vec(), Some(Err(BodyError::Coding))),
        ("zstd", b"a=1".to_vec(), Some(Err(BodyError::Coding))),
        ("gzip, gzip, gzip", gzip(b"a=1"), Some(Err(BodyError::Coding))),
    ];
    for (header, body, expected) in rows {
        assert_eq!(decode(header.as_bytes(), body, 100, false), *expected, "{header}");
    }
}

#[test]
fn what_comes_out_is_capped() {
    let bomb = gzip(&vec![b'x'; 50 * 1024 * 1024]);
    let Some(Ok(decoded)) = decode(b"gzip", &bomb, 1000, false) else { panic!("it decodes") };
    assert_eq!((decoded.body.len(), decoded.is_cut), (1000, true));
    let Some(Ok(decoded)) = decode(b"gzip", &gzip(&[b'x'; 1000]), 1000, false) else { panic!("it decodes") };
    assert_eq!((decoded.body.len(), decoded.is_cut), (1000, false));
}

#[test]
fn a_cut_body_gives_its_start() {
    let mut body = gzip(&vec![b'x'; 100_000]);
    body.truncate(body.len() - 20);
    let Some(Ok(decoded)) = decode(b"gzip", &body, 1_000_000, true) else { panic!("it decodes") };
    assert!(decoded.is_cut && decoded.body.iter().all(|byte| *byte == b'x'));
    assert_eq!(decode(b"gzip", &body, 1_000_000, false), Some(Err(BodyError::Coding)));
}

//! Seeds of the fuzz targets: the byte strings of the parsers' own test tables, so that a new row is a new seed, some frames,
//! and what the engine's tests, the installed rules and ../shared hold. Laid out as files below target/fuzz/corpus, where
//! the fuzzer adds what it finds worth keeping; nothing of them is committed.

mod engine;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace;

/// Target, the table it takes literals of, and the octets that the target itself reads in front.
const TABLES: [(&str, &str, &[u8]); 3] = [
    ("http_request", "waf-user/src/http/tests/request.rs", &[7]),
    ("http_response", "waf-user/src/http/tests/response.rs", &[14]),
    ("http_body", "waf-user/src/http/tests/body.rs", &[4, 3]),
];

/// Where a target's inputs lie.
pub fn folder(target: &str) -> PathBuf {
    workspace::target().join("fuzz").join("corpus").join(target)
}

/// Writes the seeds of a target; how many.
///
/// # Errors
/// The table cannot be read, or the files not written.
pub fn lay(target: &str) -> Result<usize> {
    let seeds = match TABLES.iter().find(|(name, ..)| *name == target) {
        Some((_, table, front)) => {
            let path = workspace::root().join(table);
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            literals(&text).into_iter().map(|bytes| [*front, &bytes].concat()).collect()
        }
        None if target == "packet" => frames(),
        None => engine::seeds(target)?,
    };
    let folder = folder(target);
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(seeds.len())
}

/// Writes the words of a target where the fuzzer finds them; None: it has none.
///
/// # Errors
/// As [`lay`].
pub fn words(target: &str) -> Result<Option<PathBuf>> {
    let words = engine::words_of(target)?;
    if words.is_empty() {
        return Ok(None);
    }
    let path = workspace::target().join("fuzz").join(format!("{target}.dict"));
    fs::write(&path, words).with_context(|| format!("write {}", path.display()))?;
    Ok(Some(path))
}

/// The `b"…"` and `"…"` literals of a source text that stand on one line and hold a line end, which names of rows do not.
fn literals(source: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for line in source.lines() {
        let mut rest = line;
        while let Some(start) = rest.find('"') {
            let (bytes, used) = unescape(rest.as_bytes().get(start + 1..).unwrap_or_default());
            if bytes.contains(&b'\n') {
                found.push(bytes);
            }
            rest = rest.get(start + 1 + used..).unwrap_or_default();
        }
    }
    found
}

/// A literal's bytes up to its closing quote, and how much of the text it took.
fn unescape(text: &[u8]) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match (byte, text.get(at)) {
            (b'"', _) => break,
            (b'\\', Some(escaped)) => {
                at += 1;
                match escaped {
                    b'n' => bytes.push(b'\n'),
                    b'r' => bytes.push(b'\r'),
                    b't' => bytes.push(b'\t'),
                    b'0' => bytes.push(0),
                    b'x' => {
                        let hex = text.get(at..at + 2).and_then(|hex| std::str::from_utf8(hex).ok());
                        bytes.extend(hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()));
                        at += 2;
                    }
                    other => bytes.push(*other),
                }
            }
            _ => bytes.push(byte),
        }
    }
    (bytes, at)
}

/// Each kind of header once: what lies between them the fuzzer finds by itself.
fn frames() -> Vec<Vec<u8>> {
    const TCP: [u8; 20] = [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0];
    let ipv4 = |options: usize, protocol: u8, payload: &[u8]| {
        let len = 20 + options + payload.len();
        let mut packet =
            vec![0x45 + (options / 4) as u8, 0, (len >> 8) as u8, len as u8, 0, 1, 0, 0, 64, protocol];
        packet.extend([0, 0, 198, 51, 100, 7, 10, 1, 0, 10]);
        packet.resize(20 + options, 1);
        packet.extend(payload);
        packet
    };
    let ipv6 = |next: u8, payload: &[u8]| {
        let mut packet = vec![0x60, 0, 0, 0, 0, payload.len() as u8, next, 64];
        packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
        packet.extend([0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10]);
        packet.extend(payload);
        packet
    };
    let ethernet = |tags: &[u8], kind: [u8; 2], packet: Vec<u8>| {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], tags, &kind, &packet].concat()
    };
    let (v4, v6) = ([8, 0], [0x86, 0xdd]);
    let behind = |headers: &[u8]| [headers, &TCP].concat();
    vec![
        ethernet(&[], v4, ipv4(0, 6, &TCP)),
        ethernet(&[], v4, ipv4(40, 6, &TCP)),
        ethernet(&[], v4, ipv4(0, 17, &[0, 53, 0, 53, 0, 8, 0, 0])),
        ethernet(&[], v4, ipv4(0, 1, &[8, 0, 0, 0, 0, 0, 0, 0])),
        ethernet(&[0x81, 0, 0, 5], v4, ipv4(0, 6, &TCP)),
        ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6], v6, ipv6(6, &TCP)),
        ethernet(&[], v6, ipv6(6, &TCP)),
        // Hop-by-hop, destination options, fragment, authentication: each before TCP.
        ethernet(&[], v6, ipv6(0, &behind(&[60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0]))),
        ethernet(&[], v6, ipv6(44, &behind(&[6, 0, 0, 1, 0, 0, 0, 1]))),
        ethernet(&[], v6, ipv6(51, &behind(&[6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))),
        ethernet(&[], v6, ipv6(58, &[135, 0, 0, 0, 0, 0, 0, 0])),
        ethernet(&[], [8, 6], vec![0; 28]),
    ]
}

#[cfg(test)]
mod tests;

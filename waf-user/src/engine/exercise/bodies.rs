//! Any bytes as a body, whole and as a prefix: what comes out is bounded by what went in, and a prefix of a body that can
//! be read is no error.

use crate::engine::body::{self, BodyError, Extent};
use crate::engine::limits;
use crate::engine::options::Options;
use crate::engine::rule::BodyProcessor;
use crate::engine::values::{Pairs, Values};

/// Arguments allowed, so that the limit is met by short inputs too.
const ARGUMENTS: usize = 40;

/// A form. The first byte says how much of it is there.
pub fn urlencoded(input: &[u8]) {
    let Some((cut, text)) = input.split_first() else { return };
    let values = read(BodyProcessor::UrlEncoded, "application/x-www-form-urlencoded", text, Extent::Whole);
    assert!(bytes(&values.args_post) <= text.len());
    let part = prefix(text, *cut);
    let cut = read(BodyProcessor::UrlEncoded, "application/x-www-form-urlencoded", part, Extent::Prefix);
    assert!(values.body_error.is_some() || cut.body_error.is_none());
}

/// JSON, beside another reader of it. The first byte says how much of it is there.
pub fn json(input: &[u8]) {
    let Some((cut, text)) = input.split_first() else { return };
    let values = read(BodyProcessor::Json, "application/json", text, Extent::Whole);
    assert!(values.args_post.iter().all(|(name, _)| name.len() <= limits::JSON_NAME_BYTES));
    assert!(values.args_post.iter().map(|(_, value)| value.len()).sum::<usize>() <= text.len());
    let cut = read(BodyProcessor::Json, "application/json", prefix(text, *cut), Extent::Prefix);
    assert!(values.body_error.is_some() || cut.body_error.is_none(), "{:?}", cut.body_error);

    let bare = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut count = 0;
    let ours = body::json_read(text, limits::JSON_DEPTH_MAX, &mut |_, _| {
        count += 1;
        if count > text.len() { Err(BodyError::Arguments) } else { Ok(()) }
    });
    let theirs =
        serde_json::from_slice::<serde::de::IgnoredAny>(bare).is_ok() && std::str::from_utf8(text).is_ok();
    assert_eq!(ours.is_ok(), theirs, "{ours:?}");
}

/// multipart/form-data with the boundary `b`, or with the first line as Content-Type. The first byte says how much of it
/// is there, and which.
pub fn multipart(input: &[u8]) {
    let Some((cut, text)) = input.split_first() else { return };
    let (content_type, text) = match (cut % 2, text.iter().position(|byte| *byte == b'\n')) {
        (1, Some(end)) => (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default()),
        _ => (b"multipart/form-data; boundary=b".as_slice(), text),
    };
    let values = read(BodyProcessor::Multipart, content_type, text, Extent::Whole);
    let held = bytes(&values.args_post) + bytes(&values.files_contents) + bytes(&values.files);
    assert!(held <= 2 * text.len());
    assert!(bytes(&values.part_headers) <= (limits::MULTIPART_PART_HEADERS + 1) * text.len());
    assert!(values.files.len() <= Options::default().upload_file_limit);
    assert!(values.part_headers.len() <= limits::MULTIPART_PARTS * limits::MULTIPART_PART_HEADERS);
    let cut = read(BodyProcessor::Multipart, content_type, prefix(text, *cut), Extent::Prefix);
    assert!(values.body_error.is_some() || cut.body_error.is_none(), "{:?}", cut.body_error);
}

/// XML. The first byte says how much of it is there.
pub fn xml(input: &[u8]) {
    let Some((cut, text)) = input.split_first() else { return };
    let values = read(BodyProcessor::Xml, "text/xml", text, Extent::Whole);
    // The whole text and its parts, each byte at most two where it is no UTF-8.
    let named = values.xml.iter().map(|(_, value)| value.len()).sum::<usize>();
    assert!(named <= 4 * text.len());
    assert!(values.xml.len() <= ARGUMENTS + 1);
    let cut = read(BodyProcessor::Xml, "text/xml", prefix(text, *cut), Extent::Prefix);
    assert!(values.body_error.is_some() || cut.body_error.is_none(), "{:?}", cut.body_error);
}

/// A coded body. The first byte names the codings, the second the limit in units of 64 bytes.
pub fn coding(input: &[u8]) {
    const HEADERS: [&str; 8] =
        ["gzip", "deflate", "br", "gzip, br", "x-gzip,deflate", "identity, gzip", "br,br,br", "zstd"];
    let [name, limit, text @ ..] = input else { return };
    let header = HEADERS.get(usize::from(name % 8)).copied().unwrap_or("gzip");
    let limit = usize::from(*limit) * 64;
    let decoded = |text: &[u8], limit: usize, is_cut: bool| {
        let headers = vec![(b"Content-Encoding".to_vec(), header.as_bytes().to_vec())];
        let mut values = Values { headers, body: text.to_vec(), body_cut: is_cut, ..Values::default() };
        body::decode(&mut values, limit);
        values
    };
    let short = decoded(text, limit, false);
    if short.body_error.is_some() {
        return;
    }
    assert!(short.body.len() <= limit);
    let long = decoded(text, limit * 2, false);
    let codings = header.split(',').count();
    assert!(codings > 1 || long.body_error.is_some() || long.body.starts_with(&short.body));
    let cut = decoded(prefix(text, *name), limit, true);
    assert!(codings > 1 || (cut.body_error.is_none() && short.body.starts_with(&cut.body)));
}

/// As much of the text as the byte says in 256ths.
fn prefix(text: &[u8], part: u8) -> &[u8] {
    text.get(..text.len() * usize::from(part) / 256).unwrap_or_default()
}

fn read(processor: BodyProcessor, content_type: impl AsRef<[u8]>, text: &[u8], extent: Extent) -> Values {
    let headers = vec![(b"Content-Type".to_vec(), content_type.as_ref().to_vec())];
    let body_cut = extent == Extent::Prefix;
    let mut values = Values { headers, body: text.to_vec(), body_cut, ..Values::default() };
    let options = Options { arguments_limit: ARGUMENTS, ..Options::default() };
    body::process(&mut values, processor, &options);
    assert_eq!(values.body, text, "the body itself stays");
    assert!(values.args_post.len() <= ARGUMENTS);
    assert!(values.body_error.as_ref().is_none_or(|error| !error.is_empty()));
    values
}

fn bytes(pairs: &Pairs) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
}

//! The `input` of a test's stage -> the bytes of its request, completed as go-ftw completes them.

use super::answer::Answer;
use super::test_file::{Spelling, flag, texts};
use super::yaml::Node;
use crate::engine::transformation::Transformation;

const FORM: &str = "application/x-www-form-urlencoded";

/// Bytes that `{{ "x" | repeat N }}` may make of a body: the tests' largest have 128 KiB. Past it: an error.
const EXPANSION_BYTES: usize = 16 * 1024 * 1024;

/// A request as a test's author describes it.
#[derive(Clone, Debug)]
pub struct Input {
    pub method: String,
    /// Never empty: the same request for each.
    pub uris: Vec<String>,
    pub version: String,
    pub headers: Vec<(String, String)>,
    pub data: Vec<u8>,
    /// In place of everything else.
    pub raw: Option<Vec<u8>>,
    /// Content-Type, Connection and Content-Length are added where they are missing.
    pub completes: bool,
    /// Content-Length of 0 too, for methods that have a body: the runners of CRS 3.x did not add it.
    pub completes_empty: bool,
    /// Cookies of the answer go with the test's next stages.
    pub saves_cookies: bool,
    /// The target is the Location of the stage before.
    pub follows_redirect: bool,
    /// What the server behind is to answer.
    pub answer: Option<Answer>,
}

impl Input {
    /// # Errors
    /// Something that is no request, in words.
    pub fn read(node: Option<&Node>, spelling: Spelling) -> Result<Self, String> {
        let empty = Node::Map(Vec::new());
        let node = node.unwrap_or(&empty);
        let text = |key: &str| node.get(key).and_then(Node::text);
        let given = |key: &str| text(key).filter(|text| !text.is_empty());
        let mut uris = texts(node.get("uris"));
        if uris.is_empty() {
            uris.push(text("uri").unwrap_or("/").to_owned());
        }
        let data = match (node.get("data"), given("encoded_data")) {
            (Some(data), _) => expand(&texts_of_data(data))?.into_bytes(),
            (None, Some(encoded)) => base64(encoded),
            (None, None) => Vec::new(),
        };
        let raw = match (given("encoded_request"), given("raw_request")) {
            (Some(encoded), _) => Some(base64(encoded)),
            (None, Some(raw)) => Some(unescaped(raw)),
            (None, None) => None,
        };
        let completes = flag(node.get("autocomplete_headers"));
        Ok(Self {
            method: text("method").unwrap_or("GET").to_owned(),
            uris,
            version: text("version").unwrap_or("HTTP/1.1").to_owned(),
            headers: headers(node),
            data,
            raw,
            completes: completes.unwrap_or(!flag(node.get("stop_magic")).unwrap_or(false)),
            completes_empty: spelling == Spelling::Newer,
            saves_cookies: flag(node.get("save_cookie")).unwrap_or(false),
            follows_redirect: flag(node.get("follow_redirect")).unwrap_or(false),
            answer: node.get("response").filter(|node| !node.pairs().is_empty()).map(Answer::read),
        })
    }

    /// The request for one of its targets. `cookies` go with it where it has none of its own.
    pub fn bytes(&self, uri: &str, cookies: &[(String, String)]) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut headers = self.headers.clone();
        let mut data = self.data.clone();
        if !cookies.is_empty() && find(&headers, "cookie").is_none() {
            let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.push(("Cookie".to_owned(), pairs.join("; ")));
        }
        if self.completes && !data.is_empty() {
            if find(&headers, "content-type").is_none() {
                headers.push(("Content-Type".to_owned(), FORM.to_owned()));
            }
            if find(&headers, "content-type").is_some_and(|value| value.eq_ignore_ascii_case(FORM)) {
                data = encoded_form(data);
            }
        }
        let multipart = |value: &str| value.to_ascii_lowercase().contains("multipart/form-data;");
        if find(&headers, "content-type").is_some_and(multipart) {
            data = with_crlf(&data);
        }
        if self.completes {
            if find(&headers, "connection").is_none() {
                headers.push(("Connection".to_owned(), "close".to_owned()));
            }
            // As the reference runner's pattern has it: begins, holds or ends with one of them.
            let method = &self.method;
            let with_body = method.starts_with("POST")
                || ["PUT", "PATCH"].iter().any(|one| method.contains(one))
                || method.ends_with("DELETE");
            let with_length = !data.is_empty() || (with_body && self.completes_empty);
            if with_length && find(&headers, "content-length").is_none() {
                headers.push(("Content-Length".to_owned(), data.len().to_string()));
            }
        }
        let mut bytes = format!("{} {uri} {}\r\n", self.method, self.version).into_bytes();
        for (name, value) in &headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&data);
        bytes
    }
}

fn headers(node: &Node) -> Vec<(String, String)> {
    let text = |node: Option<&Node>| node.and_then(Node::text).unwrap_or_default().to_owned();
    if let Some(ordered) = node.get("ordered_headers").filter(|node| !node.items().is_empty()) {
        return ordered.items().iter().map(|one| (text(one.get("name")), text(one.get("value")))).collect();
    }
    let pairs = node.get("headers").map(Node::pairs).unwrap_or_default();
    pairs.iter().map(|(name, value)| (name.clone(), text(Some(value)))).collect()
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// CRS 3.x writes a body as a list of lines too.
fn texts_of_data(data: &Node) -> String {
    match data {
        Node::Text(text) => text.clone(),
        list => list.items().iter().filter_map(Node::text).collect::<Vec<_>>().join("\r\n"),
    }
}

/// Undoes the one form of template that tests use: `{{ "x" | repeat N }}` or `{{ repeat N "x" }}`.
fn expand(text: &str) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let (before, inside) = rest.split_at(open);
        expanded.push_str(before);
        let repeated = inside.find("}}").and_then(|close| Some((repeat(inside.get(2..close)?)?, close + 2)));
        match repeated {
            Some(((unit, times), length)) => {
                if unit.len().saturating_mul(times).saturating_add(expanded.len()) > EXPANSION_BYTES {
                    return Err(format!("a template makes more than {EXPANSION_BYTES} bytes"));
                }
                expanded.push_str(&unit.repeat(times));
                rest = inside.get(length..).unwrap_or_default();
            }
            None => {
                expanded.push_str("{{");
                rest = inside.get(2..).unwrap_or_default();
            }
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// What is repeated, and how often; None: another template, which stays as it stands.
fn repeat(inside: &str) -> Option<(String, usize)> {
    let inside = inside.trim();
    let (quoted, times) = match inside.strip_prefix("repeat") {
        Some(rest) => rest.trim().split_once(char::is_whitespace).map(|(times, quoted)| (quoted, times))?,
        None => {
            let (quoted, call) = inside.rsplit_once('|')?;
            (quoted, call.trim().strip_prefix("repeat")?)
        }
    };
    let unit = quoted.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some((unit.to_owned(), times.trim().parse().ok()?))
}

/// A form whose author wrote it plain; one that is encoded already stays.
fn encoded_form(data: Vec<u8>) -> Vec<u8> {
    if data.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return data;
    }
    let mut encoded = Vec::with_capacity(data.len());
    for (index, pair) in data.split(|byte| *byte == b'&').enumerate() {
        if index > 0 {
            encoded.push(b'&');
        }
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        escape(pair.get(..equals).unwrap_or_default(), &mut encoded);
        if let Some(value) = pair.get(equals + 1..) {
            encoded.push(b'=');
            escape(value, &mut encoded);
        } else if equals < pair.len() {
            encoded.push(b'=');
        }
    }
    encoded
}

fn escape(text: &[u8], encoded: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(*byte),
            b' ' => encoded.push(b'+'),
            _ => encoded.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

/// Multipart lines end in CRLF; those that do already stay.
fn with_crlf(data: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(data.len() + data.len() / 16);
    for byte in data {
        if *byte == b'\n' && lines.last() != Some(&b'\r') {
            lines.push(b'\r');
        }
        lines.push(*byte);
    }
    lines
}

pub(super) fn base64(text: &str) -> Vec<u8> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    Transformation::Base64Decode.apply(&letters).into_owned()
}

/// `raw_request` spells line ends and bytes with a backslash.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let hex = rest.strip_prefix("\\x").and_then(|rest| rest.get(..2));
        let escape = match rest.get(..2) {
            Some("\\r") => Some(b'\r'),
            Some("\\n") => Some(b'\n'),
            Some("\\t") => Some(b'\t'),
            Some("\\0") => Some(0),
            Some("\\\\") => Some(b'\\'),
            Some("\\\"") => Some(b'"'),
            Some("\\'") => Some(b'\''),
            _ => None,
        };
        let length = match (hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()), escape) {
            (Some(byte), _) => {
                bytes.push(byte);
                4
            }
            (None, Some(byte)) => {
                bytes.push(byte);
                2
            }
            (None, None) => {
                bytes.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
                next.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    bytes
}

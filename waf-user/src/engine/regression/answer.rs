//! What the server behind answers in a test: the test's own `response`, or what the public test servers (albedo, httpbin)
//! give for the paths that tests name; everything else is answered 200 without a body.

use super::input::base64;
use super::reader::ReadRequest;
use super::yaml::Node;

/// An answer. Content-Length is added by whoever sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// The `response` of a stage's input.
    pub fn read(node: &Node) -> Self {
        let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        let headers = node.get("headers").map(Node::pairs).unwrap_or_default();
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), value.text().unwrap_or_default().to_owned()));
        let body = match text("body") {
            "" => base64(text("encoded_body")),
            body => body.as_bytes().to_vec(),
        };
        Self { status: text("status").parse().unwrap_or(200), headers: headers.collect(), body }.typed()
    }

    /// What the test server answers to a request.
    pub fn of(request: &ReadRequest) -> Self {
        let target = String::from_utf8_lossy(&request.target).into_owned();
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let post = request.method == b"POST";
        if post && path.trim_end_matches('/') == "/reflect" {
            return Self::reflected(&request.body).typed();
        }
        if let Some(encoded) = path.strip_prefix("/base64/") {
            let decoded = Self { body: base64(encoded), ..Self::empty(200) };
            return decoded.with_header("Content-Type", "text/html; charset=utf-8");
        }
        if let Some(status) = path.strip_prefix("/status/") {
            return Self::empty(
                status.parse().ok().filter(|status| (200..600).contains(status)).unwrap_or(400),
            );
        }
        if path == "/anything" || path.starts_with("/anything/") {
            return Self::echo(request, &target).with_header("Content-Type", "application/json");
        }
        Self::empty(200)
    }

    /// Status, headers and body as a JSON body of the request tells them.
    fn reflected(body: &[u8]) -> Self {
        let Ok(serde_json::Value::Object(wanted)) = serde_json::from_slice(body) else {
            return Self { body: b"Invalid JSON in request body".to_vec(), ..Self::empty(400) };
        };
        let text = |key: &str| wanted.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let status = wanted.get("status").and_then(serde_json::Value::as_u64).filter(|status| *status != 0);
        let status = status.map_or(Some(200), |status| u16::try_from(status).ok());
        let Some(status) = status.filter(|status| (100..600).contains(status)) else {
            return Self { body: b"Invalid status code".to_vec(), ..Self::empty(400) };
        };
        let headers = wanted.get("headers").and_then(serde_json::Value::as_object);
        let headers = headers.into_iter().flatten().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), value)
        });
        let body = match text("body") {
            "" => base64(text("encodedBody")),
            body => body.as_bytes().to_vec(),
        };
        Self { status, headers: headers.collect(), body }
    }

    fn echo(request: &ReadRequest, target: &str) -> Self {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (lossy(name), lossy(value))).collect();
        let echo = serde_json::json!({
            "method": lossy(&request.method), "url": target, "headers": headers, "data": lossy(&request.body),
        });
        Self { body: echo.to_string().into_bytes(), ..Self::empty(200) }
    }

    fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A Content-Type by the look of the body where none is given, as web servers guess it.
    fn typed(self) -> Self {
        if self.body.is_empty() || self.header("content-type").is_some() {
            return self;
        }
        let start = self.body.trim_ascii_start().get(..64).unwrap_or(self.body.trim_ascii_start());
        let start = start.to_ascii_lowercase();
        let tags: [&[u8]; 17] = [
            b"<!doctype html",
            b"<html",
            b"<head",
            b"<script",
            b"<iframe",
            b"<h1",
            b"<div",
            b"<font",
            b"<table",
            b"<a",
            b"<style",
            b"<title",
            b"<body",
            b"<br",
            b"<p",
            b"<b",
            b"<!--",
        ];
        let ends = |tag: &[u8]| tag == b"<!--" || matches!(start.get(tag.len()), Some(b' ' | b'>'));
        let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
        let guess = if tags.iter().any(|tag| start.starts_with(tag) && ends(tag)) {
            "text/html; charset=utf-8"
        } else if start.starts_with(b"<?xml") {
            "text/xml; charset=utf-8"
        } else if self.body.iter().take(512).any(binary) {
            "application/octet-stream"
        } else {
            "text/plain; charset=utf-8"
        };
        self.with_header("Content-Type", guess)
    }

    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    /// As it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {}\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

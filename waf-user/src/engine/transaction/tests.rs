//! Whole transactions: the starter rules against attacks and harmless requests, phases, limits, budgets.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::engine::{
    Connection, Disruption, Levels, Progress, RuleFile, RuleFiles, RuleSet, Settings, Transaction, Verdict,
};

mod attacks;
mod bounds;
mod corpus;
mod crs4;
mod harmless;
mod hostile;
mod random;
mod records;
mod rules;

/// No file beside the one given.
pub struct Nothing;

impl RuleFiles for Nothing {
    fn read(&self, _path: &str, _from: &str) -> io::Result<RuleFile> {
        Err(io::Error::from(io::ErrorKind::NotFound))
    }

    fn glob(&self, _pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

pub fn compiled(text: &str) -> Arc<RuleSet> {
    let file = RuleFile { name: "test.conf".to_owned(), text: text.as_bytes().to_vec() };
    Arc::new(RuleSet::compile(&[file], &Nothing).unwrap_or_else(|errors| panic!("{errors}")))
}

pub fn starter() -> Arc<RuleSet> {
    static STARTER: LazyLock<Arc<RuleSet>> =
        LazyLock::new(|| compiled(include_str!("../../../rules/starter.conf")));
    Arc::clone(&STARTER)
}

pub fn settings() -> Settings {
    let levels = Levels { paranoia_level: Some(2), inbound_threshold: Some(5), outbound_threshold: Some(4) };
    Settings::new(levels, None)
}

pub fn transaction(rules: &Arc<RuleSet>) -> Transaction {
    transaction_with(rules, &settings())
}

pub fn transaction_with(rules: &Arc<RuleSet>, settings: &Settings) -> Transaction {
    let client = "203.0.113.9:40000".parse().expect("an address");
    let server = "10.1.0.10:443".parse().expect("an address");
    Transaction::new(Arc::clone(rules), settings, Connection { client, server }, 1_700_000_000_000, "01ABC")
}

/// One request as a row of a table.
pub struct Request {
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn get(target: &str) -> Self {
        Self { method: "GET", target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn post(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { method: "POST", target: "/submit".to_owned(), headers, body: body.into() }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// Feeds a request whole, phases 1 and 2.
pub fn run(rules: &Arc<RuleSet>, request: &Request) -> Transaction {
    run_with(rules, &settings(), request)
}

/// As [`run`], for a tenant of other settings.
pub fn run_with(rules: &Arc<RuleSet>, settings: &Settings, request: &Request) -> Transaction {
    let mut transaction = transaction_with(rules, settings);
    transaction.request_line(request.method.as_bytes(), request.target.as_bytes(), "HTTP/1.1");
    transaction.request_header(b"Host", b"www.example.test");
    for (name, value) in &request.headers {
        transaction.request_header(name.as_bytes(), value.as_bytes());
    }
    transaction.end_request_headers();
    assert_eq!(transaction.advance(u32::MAX), Progress::Ready);
    if transaction.wants_request_body() {
        for piece in request.body.chunks(7) {
            transaction.request_body(piece);
        }
    }
    transaction.end_request_body();
    assert_eq!(transaction.advance(u32::MAX), Progress::Ready);
    transaction
}

pub fn refusal(transaction: &Transaction) -> Option<(u64, u16)> {
    match transaction.verdict() {
        Verdict::Refuse(Disruption::Deny { rule, status }) => Some((*rule, *status)),
        Verdict::Refuse(other) => Some((other.rule(), 0)),
        Verdict::Pass => None,
    }
}

pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("writes to memory");
    encoder.finish().expect("ends in memory")
}

/// Percent-encodes everything but letters and digits.
pub fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

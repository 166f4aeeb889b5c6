//! Any bytes as a request and its response: every phase comes to an end with a stated verdict, however small the turns are.

use std::sync::Arc;

use crate::engine::rule::EngineMode;
use crate::engine::{
    Connection, Levels, MemoryCollections, Progress, RuleSet, Settings, Transaction, Verdict, limits,
};

/// Turns after which a transaction is said to hang: each does at least one rule, and no rule set here has as many.
const TURNS: usize = 100_000;

/// Bits of the first byte.
const DETECT: u8 = 1;
const RESPONSE: u8 = 2;
const TWICE: u8 = 4;

/// The first byte says what is tried, the second how large turns and pieces are; then a request as text with lines that
/// end in LF: request line, header fields, an empty line, the body. The response has the same fields and body.
pub fn transaction(rules: &Arc<RuleSet>, input: &[u8]) {
    let [flags, step, text @ ..] = input else { return };
    let whole = run(rules, *flags, u32::MAX, usize::MAX, text);
    if flags & DETECT != 0 {
        assert_eq!(*whole.verdict(), Verdict::Pass);
    }
    if flags & TWICE != 0 {
        let pieces = run(rules, *flags, u32::from(*step), usize::from(*step).max(1), text);
        assert_eq!(pieces.verdict(), whole.verdict());
        assert_eq!(pieces.matches(), whole.matches());
    }
}

fn run(rules: &Arc<RuleSet>, flags: u8, budget: u32, piece: usize, text: &[u8]) -> Transaction {
    let response_bodies = flags & RESPONSE != 0;
    let levels = Levels { paranoia_level: Some(4), inbound_threshold: Some(5), outbound_threshold: Some(4) };
    let settings = Settings::new(levels, Some(response_bodies));
    let client = ([203, 0, 113, 9], 40_000).into();
    let connection = Connection { client, server: ([10, 1, 0, 10], 443).into() };
    let mut transaction =
        Transaction::new(Arc::clone(rules), &settings, connection, 1_700_000_000_000, "01ABC");
    transaction.set_collections(Arc::new(MemoryCollections::default()), "fuzz");
    if flags & DETECT != 0 {
        transaction.set_engine(EngineMode::DetectionOnly);
    }
    let (head, body) = match memchr::memmem::find(text, b"\n\n") {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 2..).unwrap_or_default()),
        None => (text, b"".as_slice()),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut words = lines.next().unwrap_or_default().splitn(3, |byte| *byte == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let protocol = String::from_utf8_lossy(words.next().unwrap_or_default());
    transaction.request_line(method, target, &protocol);
    let fields: Vec<(&[u8], &[u8])> = lines.map(field).collect();
    for (name, value) in &fields {
        transaction.request_header(name, value);
    }
    transaction.end_request_headers();
    advance(&mut transaction, budget);
    if transaction.wants_request_body() {
        body.chunks(piece.min(body.len().max(1))).for_each(|piece| transaction.request_body(piece));
    }
    transaction.end_request_body();
    advance(&mut transaction, budget);
    if flags & RESPONSE != 0 && *transaction.verdict() == Verdict::Pass {
        transaction.response_line(500, &protocol);
        transaction.response_header(b"Content-Type", b"text/html; charset=utf-8");
        for (name, value) in &fields {
            transaction.response_header(name, value);
        }
        transaction.end_response_headers();
        advance(&mut transaction, budget);
        if transaction.wants_response_body() {
            body.chunks(piece.min(body.len().max(1))).for_each(|piece| transaction.response_body(piece));
        }
        transaction.end_response_body();
    }
    transaction.end();
    advance(&mut transaction, budget);
    assert!(transaction.matches().len() <= limits::MATCHES_MAX + 1);
    let _ = transaction.score();
    transaction
}

fn field(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|byte| *byte == b':') {
        Some(colon) => {
            (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default().trim_ascii())
        }
        None => (line, b""),
    }
}

fn advance(transaction: &mut Transaction, budget: u32) {
    let turn = |_: &usize| transaction.advance(budget) == Progress::Pending;
    assert!((0..TURNS).take_while(turn).count() < TURNS, "a transaction without an end");
}

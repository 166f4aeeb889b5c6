//! Inputs that were findings once, and random ones.

use std::io;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::engine::limits;
use crate::engine::operator::Operator;
use crate::engine::transaction::tests::starter;
use crate::engine::values::Values;

type Target = (&'static str, fn(&[u8]));

/// Every part by its fuzz target's name.
const TARGETS: &[Target] = &[
    ("rule_text", super::rule_text),
    ("urlencoded", super::urlencoded),
    ("multipart", super::multipart),
    ("json", super::json),
    ("xml", super::xml),
    ("coding", super::coding),
    ("transformation", super::transformation),
    ("operator", super::operator),
    ("pattern", super::pattern),
    ("transaction", |input| super::transaction(&starter(), input)),
];

/// What the targets were fed when they failed.
const FINDINGS: &[(&str, &str, &[u8])] =
    &[("a byte order mark cut in two was no JSON", "json", b"\x80\xef\xbb\xbf9")];

#[test]
fn findings_stay_mended() {
    for (what, name, input) in FINDINGS {
        println!("{name}: {what}");
        let (_, target) = TARGETS.iter().find(|(known, _)| known == name).expect("a row names a target");
        target(input);
    }
}

/// Operators asked with a macro's expansion that the request chose, or about a value of a whole body.
#[test]
fn hostile_values_end() {
    let value = vec![b'a'; 128 * 1024];
    for (name, argument) in [
        ("containsWord", "%{tx.half}"),
        ("contains", "%{tx.half}b"),
        ("within", "%{tx.half}b"),
        ("rx", "%{tx.half}b"),
        ("rx", "(?:a|a?)+b"),
        ("rx", r"(a+)+\1b"),
        ("pm", "aaaaaaaaaaaaaaaab"),
        ("verifyCC", r"[a-z]{1,60}"),
        ("detectSQLi", ""),
        ("detectXSS", ""),
        ("rbl", "bl.example"),
    ] {
        let none = |_: &str| Err(io::Error::from(io::ErrorKind::NotFound));
        let operator =
            Operator::parse(name, argument.as_bytes(), &none).expect("an operator").expect(argument);
        let mut values = Values::default();
        values.set_tx(b"half", vec![b'a'; limits::EXPANSION_BYTES - 1]);
        let started = Instant::now();
        let hit = operator.matches(&value, &values);
        let took = started.elapsed();
        println!("{name} {argument}: {:?} after {} ms", hit.is_some(), took.as_millis());
        assert!(took < Duration::from_secs(20), "{name} {argument}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_bytes(input in proptest::collection::vec(any::<u8>(), 0..200), target in 0..TARGETS.len()) {
        TARGETS[target].1(&input);
    }
}

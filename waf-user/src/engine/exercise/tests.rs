//! Inputs that were findings once, and random ones.

use proptest::prelude::*;

use crate::engine::transaction::tests::starter;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_bytes(input in proptest::collection::vec(any::<u8>(), 0..200), target in 0..TARGETS.len()) {
        TARGETS[target].1(&input);
    }
}

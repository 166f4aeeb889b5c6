//! libtest's output, counted.

use super::Tally;

#[test]
fn counts_skips_and_shown_lines() {
    let mut tally = Tally::default();
    let rows = [
        ("running 3 tests", true),
        ("test a::b ... ok", false),
        ("test a::c ... FAILED", true),
        ("", false),
        ("successes:", false),
        ("---- a::b stdout ----", false),
        ("skipped: no CAP_BPF", false),
        ("failures:", true),
        ("---- a::c stdout ----", true),
        ("skipped: no CAP_BPF", true),
        ("skipped: no shared data", true),
        (
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.01s",
            true,
        ),
        (
            "test result: ok. 41 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s",
            true,
        ),
    ];
    for (line, shown) in rows {
        assert_eq!(tally.take(line), shown, "{line:?}");
    }
    assert_eq!(tally.to_string(), "42 passed, 1 failed, 3 skipped");
    assert_eq!(tally.skips(), ["skipped: no CAP_BPF", "skipped: no shared data"]);
    assert!(tally.has_failed());
}

#[test]
fn nothing_skipped_is_not_mentioned() {
    let mut tally = Tally::default();
    tally.take(
        "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    );
    assert_eq!(tally.to_string(), "2 passed, 0 failed");
}

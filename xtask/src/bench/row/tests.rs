//! Medians of pairs, the way through JSON, and verdicts on both sides of a target.

use super::{Line, Row};

fn row(id: &str, pairs: &[(f64, f64)]) -> Row {
    Row::of_pairs(id, "what", "base", "ns", pairs).expect("pairs")
}

#[test]
fn the_ratio_is_the_median_of_the_pairs() {
    // The medians of the columns come from different pairs than the median ratio.
    let row = row("K1", &[(10.0, 5.0), (40.0, 10.0), (30.0, 10.0)]);
    assert_eq!((row.subject_value, row.base_value), (30.0, 10.0));
    assert_eq!((row.ratio, row.ratio_low, row.ratio_high), (3.0, 2.0, 4.0));
    assert_eq!(Row::of_pairs("K1", "what", "base", "ns", &[]), None);
}

#[test]
fn verdicts_on_both_sides_of_each_bound() {
    for (id, ratio, expected) in [
        ("K1", 4.0, "aim"),
        ("K1", 4.01, "must"),
        ("K1", 6.0, "must"),
        ("K1", 6.01, "MISSED"),
        ("growth", 9.0, ""),
    ] {
        assert_eq!(row(id, &[(ratio, 1.0)]).verdict(), expected, "{id} {ratio}");
    }
}

#[test]
fn lines_survive_json() {
    let lines = [
        Line::Row(row("K5", &[(1.0, 2.0)])),
        Line::Note("a note".to_owned()),
        Line::Failed("no xdp-filter".to_owned()),
    ];
    for line in lines {
        assert_eq!(Line::parse(&line.to_json().to_string()), Some(line));
    }
    assert_eq!(Line::parse("test result: ok"), None);
    assert_eq!(Line::parse("{}"), None);
}

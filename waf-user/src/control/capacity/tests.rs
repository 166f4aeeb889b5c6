//! Sums, shares and the line, both sides of it.

use super::*;

fn rates(requests_s: u64, mbit_s: u64, handshakes_s: u64) -> Rates {
    Rates { requests_s, mbit_s, handshakes_s }
}

#[test]
fn the_line_is_at_four_fifths() {
    let capacity = rates(8_000, 1_000, 99);
    let table = [
        ("at the line", rates(6_000, 0, 0), rates(400, 800, 79), vec![]),
        ("one request over", rates(6_000, 0, 0), rates(401, 0, 0), vec![Measure::Requests]),
        ("one megabit over", rates(0, 800, 0), rates(1, 1, 1), vec![Measure::Bandwidth]),
        ("a fifth is rounded up", rates(0, 0, 79), rates(0, 0, 1), vec![Measure::Handshakes]),
        ("two at once", rates(9_000, 900, 0), rates(1, 1, 0), vec![Measure::Requests, Measure::Bandwidth]),
        ("nothing more fits anywhere", rates(9_000, 900, 99), rates(0, 0, 0), vec![]),
    ];
    for (name, reserved, more, expected) in table {
        let found: Vec<Measure> = reserved.shortfalls(more, capacity).map(|found| found.measure).collect();
        assert_eq!(found, expected, "{name}");
        if reserved.within(capacity.below_line()) {
            assert_eq!(reserved.plus(more).within(capacity.below_line()), expected.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_shortfall_reads_as_a_sentence() {
    let found: Vec<String> = rates(6_000, 0, 0)
        .shortfalls(rates(1_500, 0, 0), rates(8_000, 1, 1))
        .map(|found| found.to_string())
        .collect();
    assert_eq!(
        found,
        ["6,000 of 8,000 requests/s reserved, 1,500 more do not fit under the 80 % line (6,400)"]
    );
}

#[test]
fn shares_carry_the_whole() {
    for parts in 1..=8 {
        let share = rates(10, 7, 1).share(parts);
        assert!(
            share.requests_s * parts >= 10 && share.mbit_s * parts >= 7 && share.handshakes_s * parts >= 1
        );
    }
}

#[test]
fn fullness_is_that_of_the_fullest_measure() {
    let limit = rates(100, 50, 0);
    let table = [
        ("empty", rates(0, 0, 0), 0),
        ("half of the requests", rates(50, 0, 0), 500_000),
        ("bandwidth leads", rates(50, 30, 0), 600_000),
        ("no capacity for it", rates(0, 0, 1), u64::MAX),
    ];
    for (name, load, expected) in table {
        assert_eq!(load.fullness(limit), expected, "{name}");
    }
}

#[test]
fn numbers_have_commas() {
    for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(Thousands(number).to_string(), expected);
    }
}

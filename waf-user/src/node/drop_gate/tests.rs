//! First drops, repeated drops, and how many of each are told of.

use bytemuck::Zeroable;
use waf_common::outcome::Outcome;

use super::*;

const MS: u64 = 1_000_000;

fn drop_of(source: u32, scope: u32) -> Report {
    let mut octets = [0; 16];
    octets[..4].copy_from_slice(&source.to_be_bytes());
    Report { source: octets, scope, outcome: Outcome::DropTenant as u32, ..Report::zeroed() }
}

fn passed(gate: &mut DropGate, reports: impl Iterator<Item = Report>, now: Mono) -> usize {
    reports.filter(|report| gate.passes(report, now)).count()
}

#[test]
fn repeated_drops_have_their_rate_and_first_ones_pass_beside_them() {
    let mut gate = DropGate::default();
    let now = Mono(5_000 * MS);
    let same = || (0..1_000).map(|_| drop_of(1, 7));
    assert_eq!(passed(&mut gate, same(), now), 101, "the first and a hundred more");
    for (name, report, expected) in [
        ("a source not seen yet", drop_of(2, 7), true),
        ("its second drop", drop_of(2, 7), false),
        ("a source seen, another scope", drop_of(1, 8), true),
        (
            "a source seen, another outcome",
            Report { outcome: Outcome::DropNode as u32, ..drop_of(1, 7) },
            true,
        ),
    ] {
        assert_eq!(gate.passes(&report, now), expected, "{name}");
    }
    assert_eq!(passed(&mut gate, same(), Mono(now.0 + 999 * MS)), 0, "still the same second");
    assert_eq!(passed(&mut gate, same(), Mono(now.0 + 1_000 * MS)), 100, "the next second");
}

#[test]
fn first_drops_have_a_rate_too() {
    let mut gate = DropGate::default();
    let now = Mono(5_000 * MS);
    assert_eq!(passed(&mut gate, (0..5_000).map(|source| drop_of(source, 0)), now), 1_000);
}

#[test]
fn a_source_that_was_quiet_is_new_again() {
    for (quiet_ms, expected) in [(1, false), (9_999, false), (20_000, true)] {
        let mut gate = DropGate::default();
        let begin = Mono(50_000 * MS);
        gate.passes(&drop_of(1, 7), begin);
        let now = Mono(begin.0 + quiet_ms * MS);
        // Others are loud: only a first drop passes.
        passed(&mut gate, (0..200).map(|_| drop_of(2, 7)), now);
        assert_eq!(gate.passes(&drop_of(1, 7), now), expected, "{quiet_ms} ms");
    }
}

#[test]
fn memory_is_bounded() {
    let mut gate = DropGate::default();
    for source in 0..4 * SOURCES_MAX as u32 {
        gate.passes(&drop_of(source, 0), Mono(u64::from(source) * MS));
        assert!(gate.recent.len() <= SOURCES_MAX && gate.before.len() <= SOURCES_MAX);
    }
}

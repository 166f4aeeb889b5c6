//! A gate against a clock of the test's own: the rate over time, the burst from both sides, workers at once.

use super::*;

const SECOND: u64 = SECOND_NS;

/// How many of arrivals at even distances pass within `seconds`.
fn passed(gate: &Gate, arrivals_s: u64, seconds: u64) -> u64 {
    let count = arrivals_s * seconds;
    (0..count).filter(|at| gate.admit(Mono(SECOND + at * SECOND / arrivals_s))).count() as u64
}

#[test]
fn a_rate_is_kept_over_time() {
    // Name, limit in thousandths, arrivals a second, expected in 20 s from..=to.
    let rows = [
        ("free", None, 100, 2_000..=2_000),
        ("shut", Some(0), 100, 0..=0),
        ("below the rate", Some(100_000), 50, 1_000..=1_000),
        ("at the rate", Some(100_000), 100, 2_000..=2_000),
        ("above the rate", Some(100_000), 1_000, 2_000..=2_012),
        ("far above", Some(1_000_000), 5_000, 20_000..=20_102),
        ("a small rate", Some(1_000), 100, 20..=25),
        ("less than one a second", Some(500), 100, 10..=15),
    ];
    for (name, limit, arrivals, expected) in rows {
        let gate = Gate::default();
        gate.limit(limit);
        let count = passed(&gate, arrivals, 20);
        assert!(expected.contains(&count), "{name}: {count}");
        assert_eq!((gate.asked(), gate.refused()), (arrivals * 20, arrivals * 20 - count), "{name}");
    }
}

#[test]
fn a_burst_passes_and_no_more() {
    let gate = Gate::default();
    gate.limit(Some(100_000));
    let now = Mono(SECOND);
    let burst = (0..100).filter(|_| gate.admit(now)).count();
    assert_eq!(burst, 11, "100 ms of the rate, and the one that is due");
    assert!(!gate.admit(Mono(now.0 + 9_999_999)), "the next is not due yet");
    assert!(gate.admit(Mono(now.0 + 10_000_000)), "and now it is");
}

#[test]
fn a_limit_taken_away_leaves_no_debt() {
    let gate = Gate::default();
    gate.limit(Some(1));
    assert!((0..5).all(|_| gate.admit(Mono(SECOND))) && !gate.admit(Mono(SECOND)));
    gate.limit(None);
    assert!(gate.admit(Mono(SECOND)) && !gate.is_limited());
    gate.limit(Some(1_000_000));
    assert!(gate.admit(Mono(SECOND)));
}

#[test]
fn workers_share_one_rate() {
    let gate = Gate::default();
    gate.limit(Some(100_000));
    let passed: u64 = std::thread::scope(|scope| {
        let worker =
            || (0..10_000).filter(|at| gate.admit(Mono(SECOND + at * SECOND / 1_000))).count() as u64;
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a count")).sum()
    });
    // Their clocks differ by as much as their threads do; none goes backward.
    assert!((1_000..=1_020).contains(&passed), "{passed}");
}

#[test]
fn events_have_their_cap_each_second() {
    let allowance = Allowance::default();
    for second in [7, 8, 100] {
        let told = (0..1_000).filter(|_| allowance.tells(Mono(second * SECOND))).count() as u64;
        assert_eq!(told, EVENTS_PER_S, "second {second}");
    }
}

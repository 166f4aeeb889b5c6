//! Waits between making lists, by what it took last.

use super::{Mono, Pace, WAIT_NS_MAX};

#[test]
fn it_rests_ten_times_as_long_as_it_took_and_at_most_half_a_second() {
    let cases = [
        ("costs nothing", 0, 5, 5),
        ("a little, asked at once", 100, 0, 1_000),
        ("a little, asked before", 100, 999, 1_000),
        ("a little, asked then", 100, 1_000, 1_000),
        ("a little, asked later", 100, 1_001, 1_001),
        ("just short of the most", WAIT_NS_MAX / 10 - 1, 0, WAIT_NS_MAX - 10),
        ("the most", WAIT_NS_MAX / 10, 0, WAIT_NS_MAX),
        ("more", WAIT_NS_MAX, 0, WAIT_NS_MAX),
        ("for ever", u64::MAX, 0, WAIT_NS_MAX),
    ];
    for (name, took, later, due) in cases {
        let mut pace = Pace { ended: None, took_ns: 0 };
        assert_eq!(pace.due(Mono(7)), Mono(7), "{name}: the first at once");
        let end = 1_000_000;
        pace.made(Mono(end), Mono(end));
        pace.took_ns = took;
        assert_eq!(pace.due(Mono(end + later)), Mono(end + due), "{name}");
    }
    let mut pace = Pace::default();
    pace.made(Mono(100), Mono(130));
    assert_eq!(pace.due(Mono(130)), Mono(430));
}

use super::*;

#[test]
fn seconds_and_nanoseconds_agree_and_never_wrap() {
    assert_eq!(Mono(1_999_999_999).seconds(), 1);
    assert_eq!(Mono(u64::MAX).seconds(), u32::MAX);
    assert_eq!(Mono(5).plus_s(2), Mono(2_000_000_005));
    assert_eq!(Mono(u64::MAX).plus_s(1), Mono(u64::MAX));
    assert_eq!(Mono(5).since_ns(Mono(3)), 2);
    assert_eq!(Mono(3).since_ns(Mono(5)), 0);
}

#[test]
fn the_clocks_run() {
    let first = Mono::now();
    assert!(first > Mono(0) && Mono::now() >= first);
    assert!(Wall::now() > Wall(1_600_000_000_000));
}

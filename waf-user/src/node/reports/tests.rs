//! A sample of the kernel as an event.

use bytemuck::Zeroable;

use super::*;

#[test]
fn a_sample_becomes_an_event_of_its_own_moment() {
    let report = Report {
        time_ns: 5_000_000_000,
        source: Address::from_v4([192, 0, 2, 1]).octets,
        destination: Address::from_v4([10, 1, 0, 10]).octets,
        outcome: Outcome::DropTenant as u32,
        tenant: 7,
        sample: 256,
        source_port: 40_000,
        destination_port: 443,
        ..Report::zeroed()
    };
    let event = event(&report, Mono(7_500_000_000), Wall(100_000));
    assert_eq!(event.client.to_string(), "192.0.2.1:40000");
    assert_eq!(event.server.to_string(), "10.1.0.10:443");
    assert_eq!(event.time, Wall(97_500));
    assert_eq!(event.mono, Mono(5_000_000_000));
    assert_eq!(event.tenant.map(TenantId::number), Some(7));
    assert!(event.detail.contains("blocked for the tenant"), "{}", event.detail);
}

#[test]
fn a_flood_of_samples_leaves_others_their_turn() {
    let (mut gate, metrics, journal) = (DropGate::default(), Metrics::default(), Journal::disabled());
    // Samples in the ring; whether all of them are told of at once.
    for (waiting, expected) in [(0, true), (SAMPLES - 1, true), (SAMPLES, false), (9 * SAMPLES, false)] {
        let mut left = waiting;
        let take = || {
            left = left.checked_sub(1)?;
            Some(Report::zeroed())
        };
        assert_eq!(tell(take, &mut gate, &journal, &metrics), expected, "{waiting}");
        assert_eq!(waiting - left, waiting.min(SAMPLES));
    }
}

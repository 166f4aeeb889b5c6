//! The pick of a worker: within its set, and even over flows.

use std::net::IpAddr;
use std::vec::Vec;

use super::*;

fn set(workers: &[u16]) -> WorkerSet {
    let mut set = WorkerSet { count: workers.len() as u32, _pad: 0, workers: [u16::MAX; WORKERS_MAX] };
    set.workers[..workers.len()].copy_from_slice(workers);
    set
}

#[test]
fn pick_stays_in_the_set() {
    let all: Vec<u16> = (0..WORKERS_MAX as u16).collect();
    for (name, workers, hash, expected) in [
        ("nobody", &[][..], 7, None),
        ("one, low hash", &[5], 0, Some(5)),
        ("one, high hash", &[5], u32::MAX, Some(5)),
        ("two, below the half", &[5, 6], u32::MAX / 2, Some(5)),
        ("two, from the half on", &[5, 6], u32::MAX / 2 + 1, Some(6)),
        ("all, high hash", &all, u32::MAX, Some(WORKERS_MAX as u16 - 1)),
    ] {
        assert_eq!(set(workers).pick(hash), expected, "{name}");
    }
}

#[test]
fn a_count_beyond_the_array_is_cut() {
    let set = WorkerSet { count: u32::MAX, ..set(&[1, 2]) };
    assert_eq!(set.pick(0), Some(1));
    assert_eq!(set.pick(u32::MAX), Some(u16::MAX));
}

#[test]
fn flows_spread_evenly() {
    let destination = Address::from("10.1.0.10".parse::<IpAddr>().expect("an address"));
    let source = Address::from("192.0.2.1".parse::<IpAddr>().expect("an address"));
    let set = set(&[0, 1, 2, 3]);
    let mut flows = [0u32; 4];
    for port in 1024..5024 {
        let worker = set.pick(flow_hash(&source, port, &destination, 443)).expect("a worker");
        flows[usize::from(worker)] += 1;
    }
    assert!(flows.iter().all(|count| (800..1200).contains(count)), "{flows:?}");
}

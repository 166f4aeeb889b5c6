//! The kernel half's parse against the host's: the same code compiled for another machine, so field by field the same.

use aya::maps::{Array, MapData};
use aya::programs::{TestRun, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use waf_common::names::{MAP_PARSED, PROGRAM_PARSE};
use waf_common::packet::{ParsedFrame, parse};
use waf_tests::frames::any_frame;
use waf_tests::{hand_made, pace};

use super::fixture::environment;

/// Some 30 microseconds each, made, run and read back.
const CASES: u32 = 100_000;
/// BPF_PROG_TEST_RUN takes no frame without an Ethernet header.
const FRAME_LEN_MIN: usize = 14;

/// What waf_parse makes of a frame.
fn parse_in_kernel(ebpf: &mut Ebpf, frame: &[u8]) -> ParsedFrame {
    let program: &mut Xdp = ebpf.program_mut(PROGRAM_PARSE).expect("program").try_into().expect("XDP");
    let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::new() };
    let action = program.test_run(options).expect("test run").return_value;
    assert_eq!(action, 2, "waf_parse wrote its parse");
    let parsed: Array<&MapData, ParsedFrame> = ebpf.map(MAP_PARSED).expect("map").try_into().expect("array");
    parsed.get(&0, 0).expect("the parse")
}

/// Built frames with a byte replaced and the end cut off, and bytes by chance.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let spoiled = (any_frame(), any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>());
    let spoiled = spoiled.prop_map(|(frame, at, byte, cut)| {
        let mut bytes = frame.build();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let len = FRAME_LEN_MIN + cut.index(bytes.len() - FRAME_LEN_MIN + 1);
        bytes.truncate(len);
        bytes
    });
    prop_oneof![
        any_frame().prop_map(|frame| frame.build()),
        spoiled,
        proptest::collection::vec(any::<u8>(), FRAME_LEN_MIN..600),
    ]
}

/// The object with waf_parse loaded, or nothing where the machine cannot.
fn loaded() -> Option<Ebpf> {
    let object = match environment() {
        Ok((_, object)) => object,
        Err(why) => {
            println!("skipped: {why}");
            return None;
        }
    };
    let mut ebpf = EbpfLoader::new().load_file(object).expect("object");
    let program: &mut Xdp = ebpf.program_mut(PROGRAM_PARSE).expect("program").try_into().expect("XDP");
    program.load().expect("waf_parse");
    Some(ebpf)
}

#[test]
fn frames_made_by_hand_are_parsed_alike() {
    let Some(mut ebpf) = loaded() else { return };
    let (frames, truncations) = (hand_made::frames(), hand_made::truncations());
    assert!(frames.len() >= 150, "{} frames", frames.len());
    println!("{} frames, {} truncations", frames.len(), truncations.len());
    for (name, bytes) in frames.iter().chain(&truncations) {
        let host = ParsedFrame::from(parse(bytes.as_slice()));
        assert_eq!(parse_in_kernel(&mut ebpf, bytes), host, "{name}");
    }
}

#[test]
fn kernel_and_host_parse_alike() {
    let Some(ebpf) = loaded() else { return };
    let mut kinds = [0; 4];
    let cases = pace::count(CASES);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let ebpf = std::cell::RefCell::new(ebpf);
    let counted = std::cell::RefCell::new(&mut kinds);
    runner
        .run(&any_bytes(), |bytes| {
            let host = ParsedFrame::from(parse(bytes.as_slice()));
            counted.borrow_mut()[host.kind as usize] += 1;
            prop_assert_eq!(parse_in_kernel(&mut ebpf.borrow_mut(), &bytes), host);
            Ok(())
        })
        .expect("both agree");
    assert!(kinds[1..].iter().all(|count| *count > cases / 100), "all kinds were seen: {kinds:?}");
}

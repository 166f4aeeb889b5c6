//! Programs that only the bench loads: bare verdicts and a plain trie, against which the filter is measured, and two that
//! give each packet a source by chance and go on to whatever stands in NEXT. They know nothing of the filter.
#![no_std]
#![no_main]

mod spread;

use aya_ebpf::bindings::{BPF_F_NO_PREALLOC, BPF_F_RDONLY_PROG, xdp_action};
use aya_ebpf::btf_maps::lpm_trie::Key;
use aya_ebpf::btf_maps::{Array, LpmTrie, ProgramArray};
use aya_ebpf::helpers::generated::bpf_get_prandom_u32;
use aya_ebpf::macros::{btf_map, xdp};
use aya_ebpf::programs::XdpContext;

use crate::spread::spread;

const TRIE_FLAGS: usize = (BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG) as usize;
const TRIE_ENTRIES: usize = 131_072;
/// Ethernet, then the source of an IPv4 or IPv6 header.
const SOURCE4_AT: usize = 14 + 12;
const SOURCE6_AT: usize = 14 + 8;
const DESTINATION4: u32 = 0x0a01_0000;

/// Object licence as the kernel reads it.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// 0 -> number of the first prefix that sources come from, 1 -> how many, 2 -> 0 or the one last octet of all, 3 -> 0 or
/// how many destinations follow 10.1.0.0 by chance. Written by the bench.
#[btf_map]
pub static SPRAY: Array<u32, 4, { BPF_F_RDONLY_PROG as usize }> = Array::new();

/// 0 -> the program to measure. Written by the bench.
#[btf_map]
pub static NEXT: ProgramArray<1> = ProgramArray::new();

/// Source prefix -> anything. Written by the bench.
#[btf_map]
pub static PLAIN4: LpmTrie<[u8; 4], u32, TRIE_ENTRIES, TRIE_FLAGS> = LpmTrie::new();

/// The least that a dropping program does.
#[xdp]
pub fn bench_drop(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_DROP
}

/// The least that a passing program does.
#[xdp]
pub fn bench_pass(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

/// One look-up in a plain trie of sources, nothing else parsed.
#[xdp]
pub fn bench_trie4(ctx: XdpContext) -> u32 {
    let at = ctx.data() + SOURCE4_AT;
    if at + 4 > ctx.data_end() {
        return xdp_action::XDP_ABORTED;
    }
    // SAFETY: the line above proves four bytes, and a byte array needs no alignment.
    let source = unsafe { *(at as *const [u8; 4]) };
    match PLAIN4.get(&Key::new(32, source)) {
        Some(_) => xdp_action::XDP_DROP,
        None => xdp_action::XDP_PASS,
    }
}

/// An IPv4 packet from a random address of a random one of the chosen /24 prefixes.
#[xdp]
pub fn bench_spray4(ctx: XdpContext) -> u32 {
    let at = ctx.data() + SOURCE4_AT;
    if at + 8 > ctx.data_end() {
        return xdp_action::XDP_ABORTED;
    }
    let octet = match setting(2) {
        0 => random() & 0xff,
        octet => octet,
    };
    // SAFETY: the comparison above proves eight bytes; pairs, because the header lies at an even offset.
    unsafe { *(at as *mut [u16; 2]) = halves(chosen() << 8 | octet) };
    let destinations = setting(3);
    if destinations != 0 {
        let destination = DESTINATION4 + below(destinations);
        // SAFETY: as above.
        unsafe { *((at + 4) as *mut [u16; 2]) = halves(destination) };
    }
    go_on(&ctx)
}

/// An IPv6 packet from a random address of a random one of the chosen /64 prefixes below 2001:db8::/32.
#[xdp]
pub fn bench_spray6(ctx: XdpContext) -> u32 {
    let at = ctx.data() + SOURCE6_AT;
    if at + 16 > ctx.data_end() {
        return xdp_action::XDP_ABORTED;
    }
    let [a, b] = halves(0x2001_0db8);
    let [c, d] = halves(chosen());
    let [e, f] = halves(random());
    // SAFETY: the comparison above proves sixteen bytes; pairs, because the header lies at an even offset.
    unsafe { *(at as *mut [u16; 8]) = [a, b, c, d, 0, 0, e, f] };
    go_on(&ctx)
}

/// The bits of a random chosen prefix.
#[inline(always)]
fn chosen() -> u32 {
    spread(setting(0) + below(setting(1)))
}

/// A random number. Multiply-shift instead of a remainder, as the filter picks its workers.
#[inline(always)]
fn below(count: u32) -> u32 {
    ((u64::from(random()) * u64::from(count)) >> 32) as u32
}

#[inline(always)]
fn setting(index: u32) -> u32 {
    SPRAY.get(index).copied().unwrap_or(0)
}

#[inline(always)]
fn random() -> u32 {
    // SAFETY: the helper takes nothing.
    unsafe { bpf_get_prandom_u32() }
}

/// In the order of the wire.
#[inline(always)]
fn halves(word: u32) -> [u16; 2] {
    [((word >> 16) as u16).to_be(), (word as u16).to_be()]
}

/// Never returns where NEXT holds a program.
#[inline(always)]
fn go_on(ctx: &XdpContext) -> u32 {
    // SAFETY: nothing is left to drop, and the next program is of the same type.
    unsafe { NEXT.tail_call(ctx, 0) };
    xdp_action::XDP_ABORTED
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

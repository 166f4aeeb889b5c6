//! The kernel half: frames and connection look-ups to verdicts, by the maps that user space fills. One file a step; each
//! entry point is the story of the order of decisions, and ends in one function that counts how the packet left.
#![no_std]
#![no_main]

mod bytes;
mod complain;
mod count;
mod hint;
mod lists;
mod lookup;
mod maps;
mod report;
mod scratch;
mod service;
mod steer;

use aya_ebpf::bindings::{sk_action, xdp_action};
use aya_ebpf::macros::{sk_lookup, xdp};
use aya_ebpf::programs::{SkLookupContext, XdpContext};
use waf_common::outcome::Outcome;
use waf_common::packet::{self, Fragment, Kind, Packet, ParsedFrame};
use waf_common::service::{CONFIG_ACTIVE, CONFIG_DROP_FRAGMENTS, ServiceValue};

use crate::bytes::Frame;
use crate::count::Exit;
use crate::lists::Hit;
use crate::service::Destination;

/// Object licence as the kernel reads it; GPL-only helpers ask for it.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Ingress filter and steering.
#[xdp]
pub fn waf_xdp(ctx: XdpContext) -> u32 {
    let frame = Frame(&ctx);
    let Some(scratch) = scratch::own() else { return xdp_action::XDP_ABORTED };
    let exit = decide(&frame, &mut scratch.packet);
    count::leave(&frame, scratch, &exit)
}

/// A connection for a service address goes to the worker that the flow's hash names.
#[sk_lookup]
pub fn waf_sk_lookup(ctx: SkLookupContext) -> u32 {
    let outcome = lookup::assign(&ctx);
    count::outcome(outcome);
    match outcome {
        Outcome::LookupRefused => sk_action::SK_DROP,
        _ => sk_action::SK_PASS,
    }
}

/// Never attached: shows what this half makes of a frame, for the test that compares it with the host's parser.
#[xdp]
pub fn waf_parse(ctx: XdpContext) -> u32 {
    let parsed = ParsedFrame::from(packet::parse(&Frame(&ctx)));
    match maps::PARSED.set(0, parsed, 0) {
        Ok(()) => xdp_action::XDP_PASS,
        Err(_) => xdp_action::XDP_ABORTED,
    }
}

/// The order of decisions; later steps see only what earlier ones let through.
#[inline(always)]
fn decide(frame: &Frame, packet: &mut Packet) -> Exit {
    let Some(config) = maps::CONFIG.get(0) else { return Exit::plain(Outcome::PassInactive) };
    if config.flags & CONFIG_ACTIVE == 0 {
        return Exit::plain(Outcome::PassInactive);
    }

    match packet::parse_into(frame, packet) {
        Kind::Ip => {}
        Kind::NotIp => return Exit::plain(Outcome::PassNotIp),
        // Nobody's packet: the stack drops it, and management is not ours to judge.
        Kind::Unaddressed(_) => return Exit::plain(Outcome::PassHost),
    }
    if packet.is_vital_icmp() {
        return Exit::plain(Outcome::PassIcmp);
    }

    let mut value = ServiceValue::UNKNOWN;
    let destination = service::destination(packet, &mut value);
    if config.flags & CONFIG_DROP_FRAGMENTS != 0 && packet.is_fragment() && destination.is_served() {
        return Exit::plain(Outcome::DropFragment);
    }
    let outcome = match destination {
        Destination::Host => return Exit::plain(Outcome::PassHost),
        Destination::NoService => return Exit::plain(Outcome::DropNoService),
        Destination::Prefix => return Exit::plain(Outcome::PassIcmp),
        Destination::Malformed => return Exit::plain(Outcome::DropMalformed),
        Destination::Address if matches!(packet.fragment, Fragment::Later) => Outcome::PassFragment,
        Destination::Address => Outcome::PassIcmp,
        Destination::Service => Outcome::PassService,
    };
    let mut hit = Hit::NONE;
    let hint = hint::of(&packet.source);
    if !hint.is_clear() && lists::refusal(packet, &value, hint, &mut hit) {
        return Exit::refused(&value, &hit);
    }
    if matches!(outcome, Outcome::PassService) && steer::to_worker_cpu(config, packet, &value) {
        return Exit::served(&value, Outcome::PassSteered);
    }
    Exit::served(&value, outcome)
}

/// What an exit means to the driver.
#[inline(always)]
fn action(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::DropMalformed
        | Outcome::DropNoService
        | Outcome::DropFragment
        | Outcome::DropNode
        | Outcome::DropAddress
        | Outcome::DropTenant => xdp_action::XDP_DROP,
        Outcome::PassSteered => xdp_action::XDP_REDIRECT,
        _ => xdp_action::XDP_PASS,
    }
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

//! The order of decisions in the kernel against the proxy's lists in user space: the same states, the same answers. What
//! a tenant's mode forbids never reaches either list; that is the node's matter.

use std::net::IpAddr;

use aya::programs::{TestRun, TestRunOptions, Xdp};
use aya_obj::programs::XdpAttachType;
use ipnet::IpNet;
use waf_common::block::{Reason, SCOPE_NODE, scope_address};
use waf_common::names::PROGRAM_XDP;
use waf_common::outcome::Outcome;
use waf_tests::frames::Frame;
use waf_tests::pace;
use waf_user::kernel::{AllowEntry, BlockEntry, Maps};
use waf_user::model::{Ban, BanOrigin, BanScope, Mono, TenantId};
use waf_user::proxy::{ListVerdict, Lists};

use super::fixture::{Fixture, OWN, OWN_ID, OWN6, OWN6_ID, SHARED, SHARED_ID, TENANT, ip};

const STATES: u32 = 10_000;
const PROBES: usize = 4;
const OTHER_TENANT: u32 = 2;
const SOURCES: [&str; 8] = [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.3.1",
    "203.0.113.1",
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8:0:1::1",
    "2001:db9::1",
];
const LENGTHS_V4: [u8; 8] = [32, 32, 31, 24, 23, 16, 8, 0];
const LENGTHS_V6: [u8; 10] = [128, 128, 127, 65, 64, 64, 63, 48, 32, 0];
const HOUR_S: u32 = 3600;
const DATA: u8 = 0x18;

/// One state of all lists.
#[derive(Debug, Default)]
struct State {
    allows: Vec<(BanScope, IpNet)>,
    bans: Vec<Ban>,
}

/// One packet: its source, where it goes, and the tenant that FLOWS knows (on the shared address).
#[derive(Clone, Copy, Debug)]
struct Probe {
    source: IpAddr,
    destination: &'static str,
    flow: Option<u32>,
}

impl Probe {
    /// The tenant that both sides know.
    fn tenant(&self) -> Option<TenantId> {
        let number = if self.destination == SHARED { self.flow } else { Some(TENANT) };
        number.map(tenant)
    }
}

fn tenant(number: u32) -> TenantId {
    TenantId::new(u64::from(number)).expect("a tenant")
}

fn number(scope: BanScope) -> u32 {
    match scope {
        BanScope::Node => SCOPE_NODE,
        BanScope::Tenant(tenant) => tenant.number(),
        BanScope::Address(address) if address == ip(OWN) => scope_address(OWN_ID),
        BanScope::Address(address) if address == ip(SHARED) => scope_address(SHARED_ID),
        BanScope::Address(_) => scope_address(OWN6_ID),
    }
}

/// The kernel half with a state written to it.
struct Kernel {
    maps: Maps,
    program: Xdp,
}

impl Kernel {
    fn of(fixture: &Fixture) -> Self {
        let pin = fixture.pins().program(PROGRAM_XDP);
        Self { maps: fixture.maps(), program: Xdp::from_pin(pin, XdpAttachType::Interface).expect("pin") }
    }

    fn write(&self, state: &State) {
        let blocks: Vec<BlockEntry> = state
            .bans
            .iter()
            .map(|ban| BlockEntry {
                scope: number(ban.scope),
                prefix: ban.prefix,
                reason: Reason::Ban,
                tenant: 0,
                expires_s: ban.expires.map_or(0, Mono::seconds),
            })
            .collect();
        self.maps.replace_blocks(Reason::Ban, &blocks).expect("blocks");
        let allows: Vec<AllowEntry> = state
            .allows
            .iter()
            .map(|(scope, prefix)| AllowEntry { scope: number(*scope), prefix: *prefix })
            .collect();
        self.maps.replace_allow(&allows).expect("allows");
    }

    fn answer(&self, probe: Probe) -> Outcome {
        let (client, service) = ((probe.source, 40_000), (ip(probe.destination), 80));
        match probe.flow {
            Some(tenant) => self.maps.set_flow(client.into(), service.into(), tenant).expect("flow"),
            None => self.maps.remove_flow(client.into(), service.into()).expect("flow"),
        }
        let frame = Frame::tcp(client, service, DATA).build();
        let outcomes = [Outcome::PassService, Outcome::DropNode, Outcome::DropAddress, Outcome::DropTenant];
        let before = self.maps.counters().expect("counters");
        let options = TestRunOptions { data_in: Some(&frame), ..TestRunOptions::new() };
        self.program.test_run(options).expect("test run");
        let after = self.maps.counters().expect("counters");
        // What the cable carries meanwhile moves other counters.
        let moved = outcomes.into_iter().find(|outcome| after.of(*outcome) > before.of(*outcome));
        moved.expect("one of these outcomes")
    }
}

/// What user space says.
fn model(state: &State, probe: Probe, now: Mono) -> Outcome {
    let lists = Lists::new(state.allows.iter().copied(), state.bans.iter().cloned());
    match lists.verdict(probe.source, ip(probe.destination), probe.tenant(), now) {
        ListVerdict::Pass => Outcome::PassService,
        ListVerdict::Refuse(ban) => match ban.scope {
            BanScope::Node => Outcome::DropNode,
            BanScope::Address(_) => Outcome::DropAddress,
            BanScope::Tenant(_) => Outcome::DropTenant,
        },
    }
}

/// xorshift64*: the seed is printed, and is all that a failure needs.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn prefix(&mut self) -> IpNet {
        let source = ip(self.pick(&SOURCES));
        let length = if source.is_ipv4() { self.pick(&LENGTHS_V4) } else { self.pick(&LENGTHS_V6) };
        IpNet::new(source, length).expect("a length of the family").trunc()
    }

    fn state(&mut self, now: Mono) -> State {
        let allow_scopes =
            [BanScope::Node, BanScope::Tenant(tenant(TENANT)), BanScope::Tenant(tenant(OTHER_TENANT))];
        let addresses = [OWN, SHARED, OWN6].map(|address| BanScope::Address(ip(address)));
        let mut state = State::default();
        for _ in 0..self.below(3) {
            state.allows.push((self.pick(&allow_scopes), self.prefix()));
        }
        for _ in 0..self.below(6) {
            let scope = if self.below(2) == 0 { self.pick(&allow_scopes) } else { self.pick(&addresses) };
            let prefix = self.prefix();
            let expires = match self.below(4) {
                0 => Some(Mono::default().plus_s(now.seconds().saturating_sub(1).max(1))),
                1 => Some(now.plus_s(HOUR_S)),
                2 => Some(now.plus_s(2 * HOUR_S)),
                _ => None,
            };
            // A ban of the same scope and prefix replaces the earlier one: there is one of each.
            if state.bans.iter().all(|ban| (ban.scope, ban.prefix) != (scope, prefix)) {
                state.bans.push(Ban { scope, prefix, origin: BanOrigin::Rules, tenant: None, expires });
            }
        }
        state
    }

    fn probe(&mut self) -> Probe {
        let source = ip(self.pick(&SOURCES));
        let destination = if source.is_ipv6() { OWN6 } else { self.pick(&[OWN, SHARED]) };
        let flow =
            (destination == SHARED).then(|| self.pick(&[None, Some(TENANT), Some(OTHER_TENANT)])).flatten();
        Probe { source, destination, flow }
    }
}

#[test]
fn kernel_and_user_space_decide_alike_in_random_states() {
    let Some(fixture) = Fixture::active() else { return };
    let seed = std::env::var("WAF_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| Mono::now().0 | 1);
    println!("WAF_SEED={seed}");
    let kernel = Kernel::of(&fixture);
    let mut chance = Chance(seed);
    let mut seen = std::collections::BTreeMap::new();
    let states = pace::count(STATES);
    for at in 0..states {
        let now = Mono::now();
        let state = chance.state(now);
        kernel.write(&state);
        for _ in 0..PROBES {
            let probe = chance.probe();
            let expected = model(&state, probe, now);
            assert_eq!(kernel.answer(probe), expected, "WAF_SEED={seed} state {at}: {probe:?} in {state:?}");
            *seen.entry(expected.name()).or_insert(0) += 1;
        }
    }
    println!("{states} states, answers {seen:?}");
    assert!(
        seen.len() == 4 && seen.values().all(|count| *count > states / 50),
        "all answers were seen: {seen:?}"
    );
}

/// Name, allows, bans (scope, prefix, seconds left: None = for ever, 0 = over), probe.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str, Option<u32>)], Probe, Outcome);

#[test]
fn kernel_and_user_space_decide_alike_in_a_table() {
    let Some(fixture) = Fixture::active() else { return };
    let kernel = Kernel::of(&fixture);
    let now = Mono::now();
    let own = Probe { source: ip("192.0.2.1"), destination: OWN, flow: None };
    let shared = Probe { destination: SHARED, ..own };
    let known = Probe { flow: Some(TENANT), ..shared };
    let own6 = Probe { source: ip("2001:db8::1"), destination: OWN6, flow: None };
    let rows: &[Row] = &[
        ("nothing", &[], &[], own, Outcome::PassService),
        ("node", &[], &[("node", "192.0.2.1/32", None)], own, Outcome::DropNode),
        ("over", &[], &[("node", "192.0.2.1/32", Some(0))], own, Outcome::PassService),
        (
            "over under a live one",
            &[],
            &[("node", "192.0.2.1/32", Some(0)), ("node", "192.0.2.0/24", Some(60))],
            own,
            Outcome::DropNode,
        ),
        (
            "live under one that is over",
            &[],
            &[("node", "192.0.2.1/32", Some(60)), ("node", "192.0.2.0/24", Some(0))],
            own,
            Outcome::DropNode,
        ),
        (
            "node before address",
            &[],
            &[("node", "0.0.0.0/0", None), ("address:10.1.0.10", "192.0.2.1/32", None)],
            own,
            Outcome::DropNode,
        ),
        (
            "address before tenant",
            &[],
            &[("address:10.1.0.10", "0.0.0.0/0", None), ("tenant:1", "192.0.2.1/32", None)],
            own,
            Outcome::DropAddress,
        ),
        ("tenant", &[], &[("tenant:1", "192.0.2.0/23", None)], own, Outcome::DropTenant),
        ("another tenant's", &[], &[("tenant:2", "192.0.2.1/32", None)], own, Outcome::PassService),
        ("tenant, flow unknown", &[], &[("tenant:1", "192.0.2.1/32", None)], shared, Outcome::PassService),
        ("tenant, flow known", &[], &[("tenant:1", "192.0.2.1/32", None)], known, Outcome::DropTenant),
        (
            "allowed by the flow's tenant",
            &[("tenant:1", "192.0.2.0/24")],
            &[("address:10.1.0.11", "192.0.2.1/32", None)],
            known,
            Outcome::PassService,
        ),
        (
            "allowed by a tenant that is not known",
            &[("tenant:1", "192.0.2.0/24")],
            &[("address:10.1.0.11", "192.0.2.1/32", None)],
            shared,
            Outcome::DropAddress,
        ),
        (
            "allowed by the node",
            &[("node", "192.0.2.0/24")],
            &[("node", "192.0.2.1/32", None), ("tenant:1", "192.0.2.1/32", None)],
            own,
            Outcome::PassService,
        ),
        (
            "a tenant's allow against the node",
            &[("tenant:1", "192.0.2.1/32")],
            &[("node", "192.0.2.1/32", None)],
            own,
            Outcome::DropNode,
        ),
        ("v6 /64", &[], &[("node", "2001:db8::/64", Some(60))], own6, Outcome::DropNode),
        (
            "v6 host over, /64 live",
            &[],
            &[("tenant:1", "2001:db8::1/128", Some(0)), ("tenant:1", "2001:db8::/64", None)],
            own6,
            Outcome::DropTenant,
        ),
        (
            "v6 /64 over, /32 live",
            &[],
            &[("tenant:1", "2001:db8::/64", Some(0)), ("tenant:1", "2001:db8::/32", None)],
            own6,
            Outcome::DropTenant,
        ),
        ("v4 everything does not hold v6", &[], &[("node", "0.0.0.0/0", None)], own6, Outcome::PassService),
    ];
    let scope = |text: &str| text.parse::<BanScope>().expect("a scope");
    let net = |text: &str| text.parse::<IpNet>().expect("a prefix");
    for (name, allows, bans, probe, expected) in rows {
        let ban = |(at, prefix, left_s): &(&str, &str, Option<u32>)| Ban {
            scope: scope(at),
            prefix: net(prefix),
            origin: BanOrigin::Rules,
            tenant: None,
            expires: left_s
                .map(|left_s| if left_s == 0 { Mono::default().plus_s(1) } else { now.plus_s(left_s) }),
        };
        let state = State {
            allows: allows.iter().map(|(at, prefix)| (scope(at), net(prefix))).collect(),
            bans: bans.iter().map(ban).collect(),
        };
        kernel.write(&state);
        assert_eq!(model(&state, *probe, now), *expected, "{name}, user space");
        assert_eq!(kernel.answer(*probe), *expected, "{name}, kernel");
    }
}

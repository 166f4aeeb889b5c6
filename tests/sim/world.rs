//! A fleet and its customers, drawn by lot: what sites there are, how large, on which nodes.

use std::net::IpAddr;
use std::sync::Arc;

use waf_user::config::OriginUrl;
use waf_user::control::capacity::Rates;
use waf_user::control::environment::Customer;
use waf_user::control::inventory::{Node, NodeState, Pool, Region};
use waf_user::control::plan::{Policy, Wish};
use waf_user::control::sheet::{Certificate, Options, Residency, Sheet, Tls};
use waf_user::model::{Carrier, Fqdn, NodeName, Wall};

use super::random::Random;

/// 2026-01-01.
pub const BEGIN: Wall = Wall(1_767_225_600_000);

pub fn policy() -> Policy {
    Policy { zone: name("edge.example.net"), salt: 0x5a17 }
}

pub fn name(text: &str) -> Fqdn {
    Fqdn::new(text).expect("names of the simulation are plain")
}

pub fn site_name(number: u64) -> Fqdn {
    name(&format!("www.site{number}.example.jp"))
}

/// Nodes at three carriers, of several sizes; every second has too few addresses for all its sites.
pub fn nodes(count: usize, random: &mut Random) -> Vec<Node> {
    let node = |at: usize| {
        let carrier = ["carrier-a", "carrier-b", "carrier-c"][at % 3];
        let requests_s = 1000 * random.between(45, 90);
        let length = if at % 2 == 1 { 26 } else { 25 };
        let (high, low) = (at / 256, at % 256);
        let source: IpAddr = format!("198.18.{high}.{low}").parse().expect("an address");
        Node {
            name: NodeName::new(&format!("n{at}")).expect("a name"),
            carrier: Carrier::new(carrier).expect("a name"),
            region: Region("east".into()),
            residency: Residency::JP,
            capacity: Rates { requests_s, mbit_s: requests_s * 2, handshakes_s: requests_s / 4 },
            ipv4: Pool::new(vec![format!("10.{at}.{high}.0/{length}").parse().expect("a network")])
                .expect("a pool"),
            ipv6: Some(format!("2001:db8:{at:x}::/64").parse().expect("a prefix")),
            sources: vec![source],
            state: NodeState::Active,
        }
    };
    (0..count).map(node).collect()
}

/// Most sites are small, few are large, one in a thousand is larger than a node.
pub fn sheet(fqdn: Fqdn, random: &mut Random) -> Sheet {
    let requests_s = match random.between(0, 1000) {
        0..700 => random.between(10, 100),
        700..950 => random.between(100, 1_000),
        950..999 => random.between(1_000, 5_000),
        _ => random.between(20_000, 90_000),
    };
    let peak =
        Rates { requests_s, mbit_s: (requests_s * random.between(50, 200) / 100).max(1), handshakes_s: 0 };
    let mut sheet = Sheet {
        fqdn,
        tls: Tls::None,
        origins: vec![OriginUrl::parse("http://203.0.113.9").expect("an origin")],
        peak,
        residency: Residency::JP,
        options: Options::default(),
    };
    if random.percent(80) {
        turn_tls_on(&mut sheet, random);
    }
    sheet
}

pub fn turn_tls_on(sheet: &mut Sheet, random: &mut Random) {
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&random.next().to_be_bytes());
    sheet.tls = Tls::Upload(Certificate { fingerprint, ends: Wall(u64::MAX) });
    if sheet.peak.handshakes_s == 0 {
        sheet.peak.handshakes_s = (sheet.peak.requests_s * random.between(5, 20) / 100).max(1);
    }
}

pub fn serve(sheet: Sheet) -> Wish {
    let customer = Customer::new("customer").expect("a name");
    Wish::Serve { customer, sheet: Arc::new(sheet) }
}

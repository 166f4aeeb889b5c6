use super::*;
use crate::model::BanOrigin;
use crate::node::tests::net;

fn ban(prefix: &str, expires_s: Option<u32>) -> Ban {
    Ban {
        scope: BanScope::Node,
        prefix: net(prefix),
        origin: BanOrigin::Operator,
        tenant: None,
        expires: expires_s.map(|expires_s| Mono::default().plus_s(expires_s)),
    }
}

#[test]
fn a_ban_ends_at_its_moment_and_not_before() {
    let mut bans = Bans::default();
    bans.add(ban("192.0.2.1", Some(10))).unwrap();
    bans.add(ban("192.0.2.2", None)).unwrap();
    let at = |s| Mono::default().plus_s(s);
    let key = net("192.0.2.1");
    assert!(bans.live(BanScope::Node, key, Mono(at(10).0 - 1)).is_some());
    assert!(bans.live(BanScope::Node, key, at(10)).is_none());
    assert!(bans.reap(Mono(at(10).0 - 1)).is_empty());
    assert_eq!(bans.reap(at(10)).len(), 1);
    assert_eq!(bans.list(), [ban("192.0.2.2", None)], "what never ends stays");
}

#[test]
fn one_ban_a_scope_and_prefix() {
    let mut bans = Bans::default();
    bans.add(ban("192.0.2.1", Some(10))).unwrap();
    bans.add(ban("192.0.2.1", Some(20))).unwrap();
    assert_eq!(bans.list(), [ban("192.0.2.1", Some(20))]);
    assert!(bans.remove(BanScope::Node, net("192.0.2.0/24")).is_none(), "removal wants the exact prefix");
    assert!(bans.remove(BanScope::Node, net("192.0.2.1")).is_some());
    assert!(bans.is_empty());
}

#[test]
fn a_full_table_refuses_new_bans_only() {
    let mut bans = Bans::default();
    for number in 0..BANS_MAX as u32 {
        let prefix = IpNet::from(std::net::IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + number)));
        bans.add(Ban { prefix, ..ban("10.0.0.0", None) }).unwrap();
    }
    assert_eq!(bans.add(ban("192.0.2.1", None)), Err(Full));
    assert_eq!(bans.add(ban("10.0.0.0", Some(5))), Ok(()), "a known one is replaced");
}

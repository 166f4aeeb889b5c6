//! What one process tells the next, and sockets over a socket.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::*;
use crate::node::enforce::Force;
use crate::node::protect::Protected;
use crate::node::services::ServicePlan;
use crate::node::tests::{configured, id, net};
use crate::proxy::{Lists, Observation};

fn enforcer(detects: bool) -> Enforcer {
    let (settings, mut config) = configured("");
    if detects {
        config.tenants[0].mode = crate::model::Mode::Detect;
    }
    let plan = ServicePlan::new(&config, 1, &[]);
    let protected = Protected::new(&settings, &config, &[]);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    Enforcer::new(config, plan, protected, lists, Vec::new(), None)
}

#[test]
fn bans_and_repeaters_reach_the_next_process() {
    let at = |second| Mono::default().plus_s(second);
    let ban = |scope, prefix: &str, origin, expires| Ban {
        scope,
        prefix: net(prefix),
        origin,
        tenant: Some(id(1)),
        expires,
    };
    let tenant = BanScope::Tenant(id(1));
    let live = ban(tenant, "192.0.2.1", BanOrigin::Rules, Some(at(100)));
    let operators = ban(BanScope::Node, "2001:db8:0:1::/64", BanOrigin::Operator, None);
    let over = ban(tenant, "192.0.2.2", BanOrigin::Rules, Some(at(5)));
    let mut old = enforcer(false);
    for ban in [&live, &operators, &over] {
        old.ban(ban.clone(), Force::No).unwrap();
    }
    let policy = old.config().ban.clone();
    old.repeaters().next_ttl_s(tenant, net("192.0.2.1"), &policy, at(0));
    let feedback = || Feedback::new(&configured("").1);
    let text = serde_json::to_string(&Handed::of(&mut old, &feedback(), Generation(7))).unwrap();
    let handed: Handed = serde_json::from_str(&text).unwrap();
    assert_eq!(handed.generation, 7);
    let table =
        [("the same tenants", false, vec![operators.clone(), live]), ("one detects", true, vec![operators])];
    for (name, detects, expected) in table {
        let mut new = enforcer(detects);
        handed.clone().tell(&mut new, &mut feedback(), at(10));
        assert_eq!(new.bans().list(), expected, "{name}");
        assert_eq!(new.repeaters().next_ttl_s(tenant, net("192.0.2.1"), &policy, at(20)), 1200, "{name}");
    }
}

/// Half of a ban's refusals in one process, half in the next.
#[test]
fn counted_refusals_reach_the_next_process() {
    let (_, config) = configured("");
    let policy = &config.ban;
    let observation = |refused| Observation {
        tenant: id(1),
        source: "192.0.2.9".parse().unwrap(),
        destination: config.tenants[0].addresses[0],
        at: Mono::default().plus_s(100),
        refused,
    };
    for (name, window_s, expected) in
        [("the same window", policy.window_s, true), ("another window", policy.window_s + 1, false)]
    {
        let mut old = Feedback::new(&config);
        for _ in 1..policy.refused {
            assert_eq!(old.observe(&observation(true)), None);
        }
        let text = serde_json::to_string(&Handed::of(&mut enforcer(false), &old, Generation(1))).unwrap();
        let handed: Handed = serde_json::from_str(&text).unwrap();
        let mut other = config.clone();
        other.ban.window_s = window_s;
        let mut new = Feedback::new(&other);
        handed.tell(&mut enforcer(false), &mut new, Mono::default().plus_s(101));
        assert_eq!(new.observe(&observation(true)).is_some(), expected, "{name}");
    }
    let mut detecting = config.clone();
    detecting.tenants[0].mode = crate::model::Mode::Detect;
    let mut old = Feedback::new(&config);
    old.observe(&observation(true));
    old.observe(&Observation { source: "192.0.2.10".parse().unwrap(), ..observation(false) });
    let handed = Handed::of(&mut enforcer(false), &old, Generation(1));
    assert_eq!(handed.sources.len(), 1, "who had no refusal is left out");
    let mut new = Feedback::new(&detecting);
    handed.tell(&mut enforcer(true), &mut new, Mono::default().plus_s(101));
    assert_eq!(new.sources(), 0, "a tenant that detects bans nobody");
}

#[test]
fn sockets_come_with_their_line() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for count in [0, 1, 63, 64, 65, 200] {
        let sockets: Vec<std::net::TcpListener> =
            (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let reader = std::thread::spawn(move || pass::receive(&theirs).unwrap());
        runtime.block_on(async {
            ours.set_nonblocking(true).unwrap();
            let mut ours = tokio::net::UnixStream::from_std(ours).unwrap();
            pass::send(&ours, &sockets.iter().collect::<Vec<_>>()).await.unwrap();
            let reply = crate::node::control::Reply::Done {};
            crate::node::control_sock::write(&mut ours, &reply).await.unwrap();
        });
        let (line, passed) = reader.join().unwrap();
        assert!(String::from_utf8(line).unwrap().trim().starts_with("{\"reply\""));
        let addresses = |sockets: &[std::net::TcpListener]| -> Vec<_> {
            sockets.iter().map(|socket| socket.local_addr().unwrap()).collect()
        };
        assert_eq!(addresses(&passed), addresses(&sockets), "{count}");
    }
}

#[test]
fn a_conversation_that_breaks_is_told() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    drop(ours);
    assert_eq!(pass::receive(&theirs).unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

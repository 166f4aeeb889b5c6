//! What is due after what was said, step by step.

use super::*;
use crate::model::sync::{NodeDocument, TenantDocument, VERSION};

const GO: u64 = u64::MAX;
const NOW: Mono = Mono(1_000);

fn certificate(of: &str) -> String {
    of.repeat(32)
}

/// A document that differs by its certificate.
fn target(generation: u64, of: &str) -> Arc<Target> {
    let tenant = TenantDocument {
        tenant: 7,
        fqdn: "www.example.jp".to_owned(),
        addresses: Vec::new(),
        http_port: 80,
        https_port: 443,
        certificate: Some(certificate(of)),
        origins: Vec::new(),
        mode: "block".to_owned(),
        paranoia: None,
        contract: Default::default(),
    };
    let document = NodeDocument { node: "a1".to_owned(), tenants: vec![tenant], ..Default::default() };
    let text = document.to_text();
    Arc::new(Target { generation, document, hash: crate::model::sync::signing::hash_of(&text), text })
}

fn greeting(generation: u64, hash: &str) -> Greeting {
    Greeting {
        version: VERSION,
        node: "a1".to_owned(),
        generation,
        hash: hash.to_owned(),
        bans_seen: 0,
        software: String::new(),
    }
}

fn fresh(target: &Arc<Target>) -> Session {
    Session::new(&greeting(0, ""), Arc::clone(target))
}

fn staged(session: &mut Session, generation: u64) {
    let heard = session.hear(Up::Staged { generation }, NOW);
    assert_eq!(heard, Ok(Heard::Settled { generation }));
}

/// A session whose node serves this.
fn serving(target: &Arc<Target>) -> Session {
    let mut session = fresh(target);
    session.due(GO, NOW).unwrap();
    staged(&mut session, target.generation);
    session.due(GO, NOW).unwrap();
    assert_eq!(session.hear(Up::Active { generation: target.generation }, NOW), Ok(Heard::Moved));
    session
}

#[test]
fn a_document_is_sent_staged_and_then_served() {
    let first = target(5, "aa");
    let mut session = fresh(&first);
    assert_eq!(session.due(4, NOW), Some(Due::Document { target: Arc::clone(&first), base: None }));
    assert_eq!(session.due(GO, NOW), None, "it is on its way");
    let want = Up::Want { certificates: vec![certificate("aa"), certificate("aa")] };
    assert_eq!(session.hear(want, NOW), Ok(Heard::Due));
    assert_eq!(session.due(4, NOW), Some(Due::Certificate(certificate("aa"))));
    assert_eq!(session.due(GO, NOW), None, "asked for twice, given once");
    assert_eq!(session.hear(Up::Staged { generation: 4 }, NOW), Ok(Heard::Nothing), "another one");
    staged(&mut session, 5);
    assert_eq!(session.due(4, NOW), None, "others have not staged theirs");
    assert_eq!(session.due(5, NOW), Some(Due::Activate { generation: 5 }));
    assert_eq!(session.due(5, NOW), None, "told once");
    assert!(!session.is_current());
    assert_eq!(session.hear(Up::Active { generation: 5 }, NOW), Ok(Heard::Moved));
    assert!(session.is_current() && session.generation() == 5);
    assert_eq!(session.due(GO, NOW), None);
}

#[test]
fn the_next_one_is_a_change_of_what_is_served_by_then() {
    let [first, second, third] = [target(5, "aa"), target(6, "bb"), target(7, "cc")];
    let mut session = serving(&first);
    assert!(session.aim(Arc::clone(&second)));
    let base = Some(Arc::clone(&first));
    assert_eq!(session.due(GO, NOW), Some(Due::Document { target: Arc::clone(&second), base: base.clone() }));
    // Another one before the second is staged: still of the first.
    assert!(session.aim(Arc::clone(&third)));
    assert_eq!(session.due(GO, NOW), Some(Due::Document { target: Arc::clone(&third), base }));
    staged(&mut session, 7);
    assert_eq!(session.due(GO, NOW), Some(Due::Activate { generation: 7 }));
    // Back to the first before the node says that it serves the third.
    let back = target(8, "aa");
    assert!(session.aim(Arc::clone(&back)));
    assert_eq!(
        session.due(GO, NOW),
        Some(Due::Document { target: Arc::clone(&back), base: Some(Arc::clone(&third)) })
    );
    assert_eq!(session.hear(Up::Active { generation: 7 }, NOW), Ok(Heard::Moved));
    assert!(!session.is_current(), "the third is served");
    assert_eq!(session.hear(Up::Again, NOW), Ok(Heard::Due));
    assert_eq!(session.due(GO, NOW), Some(Due::Document { target: Arc::clone(&back), base: None }));
    staged(&mut session, 8);
    assert_eq!(session.due(GO, NOW), Some(Due::Activate { generation: 8 }));
    assert_eq!(session.hear(Up::Active { generation: 8 }, NOW), Ok(Heard::Moved));
    assert!(session.is_current());
    assert!(!session.aim(target(9, "aa")), "the same text is no other document");
    assert_eq!(session.due(GO, NOW), None);
}

#[test]
fn what_is_refused_is_tried_again_after_a_while() {
    let [first, second] = [target(5, "aa"), target(6, "bb")];
    let mut session = serving(&first);
    session.aim(Arc::clone(&second));
    session.due(GO, NOW).unwrap();
    let refused = Up::Refused { generation: 6, why: "no room".to_owned() };
    assert_eq!(session.hear(refused, NOW), Ok(Heard::Settled { generation: 6 }));
    assert_eq!(session.refused(), Some("no room"));
    let again = Mono(NOW.0 + nanos(AGAIN_AFTER));
    assert_eq!(session.due(GO, Mono(again.0 - 1)), None);
    let due = session.due(GO, again);
    assert!(matches!(&due, Some(Due::Document { target, .. }) if target.generation == 6), "{due:?}");
    // One that cannot be staged for want of a certificate, and then another that can.
    session.lacks("it is gone".to_owned(), again);
    assert_eq!(session.refused(), Some("it is gone"));
    assert_eq!(session.due(GO, again), None);
    assert!(session.aim(target(7, "cc")));
    assert!(matches!(session.due(GO, again), Some(Due::Document { .. })));
    // Refused as it was to be served.
    staged(&mut session, 7);
    assert_eq!(session.due(GO, again), Some(Due::Activate { generation: 7 }));
    let refused = Up::Refused { generation: 7, why: "no room".to_owned() };
    assert_eq!(session.hear(refused, again), Ok(Heard::Settled { generation: 7 }));
    assert_eq!(session.served(), Some(&first));
}

#[test]
fn a_node_that_has_it_already_or_a_later_one_is_sent_nothing() {
    let target = target(5, "aa");
    for (name, generation, hash, is_ahead) in [
        ("the same, of an earlier generation", 3, target.hash.as_str(), false),
        ("the same, of a later one", 9, target.hash.as_str(), false),
        ("another, of a later one", 6, "zz", true),
    ] {
        let mut session = Session::new(&greeting(generation, hash), Arc::clone(&target));
        assert_eq!((session.due(GO, NOW), session.is_ahead()), (None, is_ahead), "{name}");
    }
    let mut session = Session::new(&greeting(5, "zz"), Arc::clone(&target));
    assert!(session.due(GO, NOW).is_some(), "another of the same generation");
}

#[test]
fn what_is_not_its_own_ends_the_stream() {
    let own = target(5, "aa");
    let mut session = fresh(&own);
    let want = |of: &str| Up::Want { certificates: vec![certificate(of)] };
    assert!(session.hear(want("aa"), NOW).is_err(), "nothing was sent yet");
    session.due(GO, NOW).unwrap();
    assert!(session.hear(want("aa"), NOW).is_ok());
    assert!(session.hear(want("bb"), NOW).is_err());
    assert!(session.hear(Up::Hello(greeting(0, "")), NOW).is_err());
    assert!(session.has_tenant(7) && !session.has_tenant(8));
}

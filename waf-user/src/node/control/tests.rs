//! Requests as lines, replies as words.

use std::cell::Cell;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::*;
use crate::model::Generation;
use crate::node::protect::Protected;
use crate::node::services::ServicePlan;
use crate::node::tests::{Tables, configured};
use crate::proxy::Lists;

/// A node to ask, on tables.
pub fn control() -> Control {
    let (settings, config) = configured("");
    let plan = ServicePlan::new(&config, 1, &[]);
    let protected = Protected::new(&settings, &config, &[]);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    let filter = Some(Box::new(Tables::default()) as _);
    let enforcer = Rc::new(RefCell::new(Enforcer::new(config, plan, protected, lists, Vec::new(), filter)));
    let facts = Facts { generation: Cell::new(Generation(7)), ..Facts::default() };
    Control { node: settings.name, facts: Rc::new(facts), enforcer, orders: None, uplink: None }
}

#[test]
fn requests_are_answered_in_one_word_or_refused_with_a_reason() {
    let control = control();
    let table = [
        ("ping", r#"{"command":"ping"}"#, "done"),
        ("no JSON", "ban everybody", "no request"),
        ("no command", "{}", "no request"),
        ("unknown command", r#"{"command":"stop"}"#, "unknown variant"),
        ("unknown field", r#"{"command":"ping","x":1}"#, "unknown field"),
        ("no prefix", r#"{"command":"ban-add","prefix":"x","scope":"node"}"#, "not an address"),
        ("no scope", r#"{"command":"ban-add","prefix":"192.0.2.1","scope":"all"}"#, "no scope"),
        (
            "negative time",
            r#"{"command":"ban-add","prefix":"192.0.2.1","scope":"node","ttl_s":-1}"#,
            "no request",
        ),
        ("protected", r#"{"command":"ban-add","prefix":"192.0.2.200","scope":"node"}"#, "an origin"),
        ("forced", r#"{"command":"ban-add","prefix":"192.0.2.200","scope":"node","force":true}"#, "done"),
        ("ban", r#"{"command":"ban-add","prefix":"192.0.2.1","scope":"tenant:1","ttl_s":60}"#, "done"),
        ("list", r#"{"command":"ban-list"}"#, r#""expires_in_s":60"#),
        ("remove", r#"{"command":"ban-remove","prefix":"192.0.2.1","scope":"tenant:1"}"#, "done"),
        (
            "remove again",
            r#"{"command":"ban-remove","prefix":"192.0.2.1","scope":"tenant:1"}"#,
            "no such ban",
        ),
        ("status", r#"{"command":"status"}"#, r#""generation":7"#),
        ("phase", r#"{"command":"status"}"#, r#""phase":"serving""#),
        ("reload where no node runs", r#"{"command":"reload"}"#, "running node"),
        ("serving, out of place", r#"{"command":"serving"}"#, "running node"),
    ];
    for (name, request, expected) in table {
        let reply = match parse(request.as_bytes()) {
            Ok(request) => control.obey(request, Mono(5)),
            Err(error) => Reply::Refused { error },
        };
        let text = serde_json::to_string(&reply).unwrap();
        assert!(text.contains(expected), "{name}: {text}");
        assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), reply, "{name}");
    }
}

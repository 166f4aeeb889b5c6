//! What an inventory changes, as it is shown before it is asked for.

use super::{NodeView, StandingView, changes, serves, share};

fn node(extra: &str) -> NodeView {
    let text = format!(
        "name = \"node-a1\"\ncarrier = \"carrier-a\"\nregion = \"tokyo\"\nipv4 = [\"192.0.2.0/26\"]\n\
         sources = [\"192.0.2.62\"]\n{extra}\n[capacity]\nrequests_s = 10\nmbit_s = 20\nhandshakes_s = 30\n"
    );
    toml::from_str(&text).unwrap()
}

#[test]
fn changes_name_each_field() {
    let before = node("state = \"draining\"\nenvironments = 4");
    let mut other = node("ipv6 = \"2001:db8::/96\"\nstate = \"active\"");
    other.capacity.mbit_s = 25;
    let table: [(&str, &[NodeView], NodeView, &[&str]); 3] = [
        ("new", &[], node(""), &["node-a1: new at carrier-a, 10 requests/s 20 Mbit/s 30 handshakes/s"]),
        ("same, the state not said", std::slice::from_ref(&before), node(""), &[]),
        (
            "three fields",
            std::slice::from_ref(&before),
            other,
            &[
                "node-a1: capacity 10 requests/s 20 Mbit/s 30 handshakes/s -> 10 requests/s 25 Mbit/s 30 handshakes/s",
                "node-a1: ipv6 none -> 2001:db8::/96",
                "node-a1: state draining -> active",
            ],
        ),
    ];
    for (name, today, wanted, expected) in table {
        assert_eq!(changes(today, &[wanted]), expected, "{name}");
    }
}

#[test]
fn shares_are_whole_percents() {
    let table = [(0, 0, "0/0 0%"), (79, 100, "79/100 79%"), (u64::MAX, u64::MAX, "100%"), (1, 3, "1/3 33%")];
    for (used, of, expected) in table {
        assert!(share(used, of).ends_with(expected), "{used} of {of}");
    }
}

#[test]
fn what_a_node_serves_says_what_is_not_as_it_should_be() {
    let good = StandingView {
        connected_since: String::new(),
        generation: 7,
        target: 9,
        is_current: true,
        is_ahead: false,
        is_ready: true,
        refused: None,
        software: String::new(),
        bans: 0,
        certificate_ends: String::new(),
    };
    let refused = Some("no room".to_owned());
    let table = [
        (None, "not connected"),
        (Some(good.clone()), "7"),
        (Some(StandingView { is_ready: false, ..good.clone() }), "7, not ready"),
        (Some(StandingView { is_current: false, ..good.clone() }), "7, to be 9"),
        (Some(StandingView { is_current: false, refused, ..good.clone() }), "7, refused 9: no room"),
        (Some(StandingView { is_ahead: true, generation: 12, ..good }), "12, ahead of 9"),
    ];
    for (standing, expected) in table {
        assert_eq!(serves(standing.as_ref()), expected);
    }
}

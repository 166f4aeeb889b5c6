//! Reading pages and dumps.

use std::time::Duration;

use serde_json::json;

use super::{event_id, sum};
use crate::lab::Answer;

#[test]
fn ids_on_pages() {
    let id = "0193a1b2c3d40000aabbccddeeff0011";
    let rows = [
        ("in a sentence", format!("<p>Event id: <code>{id}</code></p>"), Some(id)),
        ("none", "<p>refused</p>".to_owned(), None),
        ("too long", format!("{id}0"), None),
        ("after a short one", format!("abc {id}"), Some(id)),
    ];
    for (name, body, expected) in rows {
        let answer =
            Answer { status: 403, headers: Vec::new(), body: body.into_bytes(), took: Duration::ZERO };
        assert_eq!(event_id(&answer).as_deref(), expected, "{name}");
    }
}

#[test]
fn sums_over_cpus_of_formatted_values_only() {
    let dump = json!([{
        "key": ["0x00"], "values": [{"cpu": 0, "value": ["0x01"]}, {"cpu": 1, "value": ["0x02"]}],
        "formatted": {"key": 0, "values": [
            {"cpu": 0, "value": {"drop_node": 3, "pass_host": 1}},
            {"cpu": 1, "value": {"drop_node": 4, "pass_host": 0}},
        ]},
    }]);
    assert_eq!(sum(&dump, "drop_node"), 7);
    assert_eq!(sum(&dump, "pass_host"), 1);
    assert_eq!(sum(&dump, "drop_tenant"), 0);
}

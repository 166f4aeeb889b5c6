//! A thousand who change things at the same moment: each change is made once, in some order, and told in the audit log.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;

use super::audit::{lines, log};
use super::{Plane, serve};
use crate::control::environment::Revision;

/// Of all kinds together.
const WRITERS: usize = 1000;

/// One change, tried again where another was first; how often it was.
async fn write(plane: &Plane, at: usize) -> (String, usize) {
    let operator = &plane.operator;
    match at % 10 {
        0 => {
            let (fqdn, mut stale) = (format!("s{at}.acme.jp"), 0);
            loop {
                let answer = plane.apply(operator, serve(&fqdn, 1, Some("acme"))).await;
                match answer.status {
                    StatusCode::OK => return (format!("new site {fqdn}"), stale),
                    // One token has only so many plans waiting.
                    StatusCode::NOT_FOUND => answer.refused(404, "newer ones took its place: plan again"),
                    _ => answer.refused(409, "plan again, and apply that plan"),
                }
                stale += 1;
            }
        }
        1..=5 => {
            plane.put(&format!("/v1/customers/c{at}"), json!({"note": format!("{at}")})).await.ok();
            (format!("put customer c{at}"), 0)
        }
        6 | 7 => {
            let new = json!({"role": "operator", "note": format!("{at}")});
            let made = plane.post(operator, "/v1/tokens", new).await.ok();
            (format!("make token {}", made["id"].as_str().unwrap()), 0)
        }
        _ => {
            plane.post(operator, "/v1/nodes/xylophis-q1/join-token", json!({})).await.ok();
            ("join token node xylophis-q1".to_owned(), 0)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_parallel_writers_are_serialised_and_all_told_of() {
    let plane = Arc::new(Plane::new("api-writers").await);
    let before = log(&plane, 1000).await.len();
    let Revision(revision) = plane.ledger.view().revision();
    let mut writers = JoinSet::new();
    for at in 0..WRITERS {
        let plane = Arc::clone(&plane);
        writers.spawn(async move { write(&plane, at).await });
    }
    let done = writers.join_all().await;
    let stale: usize = done.iter().map(|(_, stale)| stale).sum();
    println!("{WRITERS} writers, {stale} stale plans made again");
    assert_ne!(stale, 0, "nobody was in another's way");
    let all = log(&plane, 1000).await;
    let new = &all[..all.len() - before];
    let mut expected: Vec<String> = done.into_iter().map(|(line, _)| line).collect();
    let mut told = lines(new);
    expected.sort();
    told.sort();
    assert_eq!(told, expected, "each once, and nothing else");
    let revisions: BTreeSet<u64> = new.iter().filter_map(|entry| entry["revision"].as_u64()).collect();
    let made = WRITERS as u64 * 6 / 10;
    assert_eq!(revisions, (revision + 1..=revision + made).collect(), "one after the other, without a gap");
    let view = plane.ledger.view();
    assert_eq!(view.revision(), Revision(revision + made));
    assert_eq!(view.state.sites().len(), WRITERS / 10 + 2);
    assert_eq!(view.customers.len(), WRITERS / 2 + 2);
    let found: Vec<String> = view.state.violations(&view.inventory).iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new());
    let text = json!(all).to_string();
    assert!(!text.contains(plane.operator.strip_prefix("waf_").unwrap()));
}

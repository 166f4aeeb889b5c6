//! Every change is in the audit log, with who did it, and no secret is.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Plane, serve, serve_tls};

/// The whole log, page by page, newest first.
pub async fn log(plane: &Plane, page_len: usize) -> Vec<Value> {
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/audit?limit={page_len}{before}");
        let page = plane.get(&plane.operator, &path).await.ok();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= page_len);
        all.extend(entries.iter().cloned());
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return all,
        }
    }
}

/// `action subject` of each change, oldest first.
pub fn lines(log: &[Value]) -> Vec<String> {
    let changes = log.iter().rev().flat_map(|entry| entry["changes"].as_array().unwrap());
    let word = |change: &Value, field: &str| change[field].as_str().unwrap().to_owned();
    changes.map(|change| format!("{} {}", word(change, "action"), word(change, "subject"))).collect()
}

#[tokio::test]
async fn every_change_is_told_with_who_made_it() {
    let plane = Plane::new("api-audit").await;
    let before = log(&plane, 1000).await.len();
    let operator = plane.get(&plane.operator, "/v1/whoami").await.ok();
    let acme = plane.get(&plane.acme, "/v1/whoami").await.ok();
    let name = |whoami: &Value| format!("{} of the tests", whoami["token"]["id"].as_str().unwrap());
    let (operator, acme) =
        (format!("operator {}", name(&operator)), format!("customer acme ({})", name(&acme)));
    plane.apply(&plane.acme, serve("www.acme.jp", 300, None)).await.ok();
    plane.put("/v1/customers/acme", json!({"note": "changed"})).await.ok();
    plane.post(&plane.operator, "/v1/nodes/vexillum-z2/drain", json!({})).await.ok();
    plane.post(&plane.operator, "/v1/nodes/vexillum-z2/join-token", json!({})).await.ok();
    let new = json!({"role": "customer", "customer": "acme", "note": "night shift"});
    let made = plane.post(&plane.operator, "/v1/tokens", new).await.ok();
    let id = made["id"].as_str().unwrap();
    plane.ask(&plane.operator, Method::DELETE, &format!("/v1/tokens/{id}"), "").await.ok();
    let all = log(&plane, 1000).await;
    let new = &all[..all.len() - before];
    let actors: Vec<&str> = new.iter().rev().map(|entry| entry["actor"].as_str().unwrap()).collect();
    assert_eq!(actors[0], acme);
    assert!(actors[1..].iter().all(|actor| *actor == operator), "{actors:?}");
    assert_eq!(
        lines(new),
        [
            "in place: same CNAME, same addresses site www.acme.jp".to_owned(),
            "put customer acme".to_owned(),
            "put node vexillum-z2".to_owned(),
            "join token node vexillum-z2".to_owned(),
            format!("make token {id}"),
            format!("revoke token {id}"),
        ]
    );
    let differences: Vec<String> = new
        .iter()
        .rev()
        .flat_map(|entry| entry["changes"][0]["differences"].as_array().cloned().unwrap_or_default())
        .map(|difference| difference.as_str().unwrap().to_owned())
        .collect();
    for expected in ["peak.requests_s: 100 -> 300", "note: none -> changed", "state: active -> draining"] {
        assert!(differences.iter().any(|it| it == expected), "{expected}: {differences:?}");
    }
    for page_len in [1, 3] {
        assert_eq!(log(&plane, page_len).await, all, "in pages of {page_len}");
    }
    let bans = json!({"site": "www.acme.jp", "bans": [{"prefix": "192.0.2.7"}]});
    plane.post(&plane.acme, "/v1/bans", bans).await.ok();
    plane
        .post(&plane.acme, "/v1/bans/lift", json!({"site": "www.acme.jp", "bans": [{"prefix": "192.0.2.7"}]}))
        .await
        .ok();
    let after = log(&plane, 1000).await;
    assert_eq!(after.len(), all.len() + 2, "bans made and lifted by people");
    assert!(after[..2].iter().all(|entry| entry["actor"] == json!(acme)), "{:?}", &after[..2]);
}

#[tokio::test]
async fn no_answer_about_what_was_done_holds_a_secret() {
    let plane = Plane::new("api-secrets").await;
    let (wishes, key) = serve_tls("www.acme.jp", None);
    let key_line = key.lines().nth(1).unwrap().to_owned();
    plane.apply(&plane.acme, wishes.clone()).await.ok();
    let made = plane.post(&plane.operator, "/v1/tokens", json!({"role": "operator", "note": ""})).await.ok();
    let join = plane.post(&plane.operator, "/v1/nodes/vexillum-z1/join-token", json!({})).await.ok();
    let plan = plane.post(&plane.operator, "/v1/plans", {
        let mut wishes = wishes;
        wishes["wishes"][0]["customer"] = json!("acme");
        wishes
    });
    let plan = plan.await.ok();
    let id = plan["id"].as_str().unwrap();
    let mut heard = vec![("log".to_owned(), json!(log(&plane, 1000).await).to_string())];
    for path in [
        "/v1/export",
        "/v1/tokens",
        "/v1/nodes",
        "/v1/sites",
        "/v1/sites/www.acme.jp",
        "/v1/sites/www.acme.jp/environments",
        &format!("/v1/plans/{id}"),
        &format!("/v1/plans/{id}/detail"),
    ] {
        heard.push((path.to_owned(), plane.get(&plane.operator, path).await.text));
    }
    let digits = |token: &str| token.strip_prefix("waf_").unwrap().to_owned();
    let secrets = [
        ("the certificate's key", key_line),
        ("a PEM key", "PRIVATE KEY".to_owned()),
        ("an operator's token", digits(&plane.operator)),
        ("a customer's token", digits(&plane.acme)),
        ("a new token", digits(made["token"].as_str().unwrap())),
        ("a join token", join["token"].as_str().unwrap().split('.').next().unwrap().to_owned()),
    ];
    for (at, text) in &heard {
        for (name, secret) in &secrets {
            assert!(!text.contains(secret.as_str()), "{at} holds {name}");
        }
    }
    // Nor does the store, of what it needs only the hash of, or keeps sealed.
    let everything = plane.store.list(&crate::control::store::Prefix::default()).await.unwrap();
    for entry in everything.entries {
        let text = String::from_utf8_lossy(&entry.value);
        for (name, secret) in &secrets {
            let is_there = text.contains(secret.as_str()) || entry.key.as_str().contains(secret.as_str());
            assert!(!is_there, "{} holds {name}", entry.key);
        }
    }
}

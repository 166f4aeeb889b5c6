//! Requests that cannot be met: what is wrong is said, with the field, and nothing is changed.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use super::{Plane, serve, serve_tls, sheet};
use crate::control::api::body::{BODY_BYTES_MAX, LONG_BODY_BYTES_MAX};
use crate::control::api::turns::AT_ONCE_MAX;

fn wish(sheet: &str) -> Value {
    json!({"wishes": [{"wish": "serve", "sheet": sheet, "format": "json", "customer": "acme"}]})
}

#[tokio::test]
async fn a_malformed_sheet_is_told_all_that_is_wrong_with_it() {
    let plane = Plane::new("api-sheet").await;
    let table = [
        ("no JSON", "{", "is no JSON"),
        ("no table", "[]", "is no table of fields"),
        ("no name", r#"{"origins": ["http://203.0.113.9"], "peak": {"requests_s": 1, "mbit_s": 1}}"#, "fqdn"),
        ("odd name", &sheet("www..acme.jp", 1), "is no name"),
        ("no peak", &sheet("a.acme.jp", 0), "peak.requests_s"),
        ("odd field", r#"{"fqdn": "a.acme.jp", "colour": "red"}"#, "colour"),
        (
            "ACME",
            r#"{"fqdn": "a.acme.jp", "tls": "acme", "origins": ["http://203.0.113.9"], "peak": {"requests_s": 1, "mbit_s": 1, "handshakes_s": 1}}"#,
            "not yet",
        ),
    ];
    for (name, sheet, says) in table {
        let answer = plane.post(&plane.operator, "/v1/plans", wish(sheet)).await;
        answer.refused(422, says);
        let mistakes = answer.json()["mistakes"].clone();
        let field = mistakes[0]["field"].as_str().unwrap_or_default();
        assert!(field.starts_with("wishes[0].sheet: "), "{name}: {field}");
    }
    let two = json!({"wishes": [
        {"wish": "serve", "sheet": "{", "format": "json", "customer": "acme"},
        {"wish": "serve", "sheet": sheet("a.acme.jp", 0), "format": "json"},
    ]});
    let answer = plane.post(&plane.operator, "/v1/plans", two).await;
    answer.refused(422, "wishes[1].customer");
    let mistakes = answer.json()["mistakes"].clone();
    assert_eq!(mistakes.as_array().map(Vec::len), Some(3), "all at once: {mistakes}");
}

#[tokio::test]
async fn a_key_in_a_bad_sheet_is_not_told_back() {
    let plane = Plane::new("api-key").await;
    let (mut wishes, key) = serve_tls("a.acme.jp", Some("acme"));
    let line = key.lines().nth(1).unwrap().to_owned();
    // The certificate is for another name than the sheet's.
    let text = wishes["wishes"][0]["sheet"].as_str().unwrap().replace("a.acme.jp", "b.acme.jp");
    wishes["wishes"][0]["sheet"] = json!(text);
    let answer = plane.post(&plane.operator, "/v1/plans", wishes).await;
    answer.refused(422, "tls");
    assert!(!answer.text.contains(&line), "{}", answer.text);
    assert!(!answer.text.contains("PRIVATE KEY"), "{}", answer.text);
}

#[tokio::test]
async fn odd_requests_are_refused() {
    let plane = Plane::new("api-odd").await;
    let post = Method::POST;
    let table = [
        (Method::GET, "/v1/nothing", "", 404, "there is no route \\\"/v1/nothing\\\""),
        (Method::GET, "/", "", 404, "there is no route"),
        (Method::GET, "/v1/sites/", "", 404, "there is no"),
        (Method::DELETE, "/v1/sites", "", 405, "has not this method"),
        (Method::PATCH, "/v1/nodes", "", 405, "has not this method"),
        (Method::GET, "/v1/sites/%FF", "", 400, "UTF-8"),
        (Method::GET, "/v1/sites/..%2f..%2fetc", "", 404, "there is no site"),
        (Method::GET, "/v1/audit?limit=x", "", 400, "limit"),
        (Method::GET, "/v1/audit?page=1", "", 400, "page"),
        (Method::GET, "/v1/audit?before=1", "", 422, "is no place in the audit log"),
        (Method::GET, "/v1/bans?after=1", "", 422, "is no place to go on from"),
        (Method::GET, "/v1/sites/www.acme.jp/notice?language=fr", "", 400, "language"),
        (post.clone(), "/v1/plans", "", 400, "missing field `wishes`"),
        (post.clone(), "/v1/plans", "{\"wishes\": 1}", 400, "invalid type"),
        (post.clone(), "/v1/plans", "{\"wishes\": []}", 422, "0 wishes"),
        (post.clone(), "/v1/plans", "{\"wishes\": [], \"a\": 1}", 400, "unknown field `a`"),
        (post.clone(), "/v1/plans", "\u{fe}", 400, "the request's body"),
        (post.clone(), "/v1/plans/0/apply", "", 404, "there is no plan"),
        (post.clone(), "/v1/nodes/xylophis-q1/join-token", "{\"seconds\": 0}", 422, "seconds"),
        (post.clone(), "/v1/nodes/nothing/join-token", "", 404, "there is no node"),
        (post.clone(), "/v1/nodes/nothing/drain", "", 404, "there is no node"),
        (post.clone(), "/v1/nodes/nothing/revoke", "", 404, "there is no node"),
        (Method::DELETE, "/v1/nodes/xylophis-q1", "", 409, "drain it and move them first"),
        (Method::PUT, "/v1/customers/A%20b", "{}", 422, "name"),
        (post.clone(), "/v1/tokens", "{\"role\": \"operator\", \"note\": \"\", \"days\": 0}", 422, "days"),
        (post.clone(), "/v1/tokens", "{\"role\": \"customer\", \"note\": \"\"}", 422, "customer"),
        (post.clone(), "/v1/bans", "{\"bans\": [{\"prefix\": \"192.0.2.0/99\"}]}", 422, "bans[0].prefix"),
        (post.clone(), "/v1/bans", "{\"bans\": [{\"prefix\": \"192.0.0.0/8\"}]}", 422, "wider than"),
        (
            post.clone(),
            "/v1/bans",
            "{\"bans\": [{\"prefix\": \"192.0.2.1\", \"seconds\": 0}]}",
            422,
            "seconds",
        ),
        (post, "/v1/bans", "{\"bans\": []}", 422, "0 of them"),
    ];
    let before = plane.ledger.view().revision();
    for (method, path, body, status, says) in table {
        let answer = plane.ask(&plane.operator, method.clone(), path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {body}: {}", answer.text);
        answer.refused(status, says);
    }
    assert_eq!(plane.ledger.view().revision(), before);
}

#[tokio::test]
async fn a_node_that_cannot_be_is_refused_by_its_field() {
    let plane = Plane::empty("api-node").await;
    let good = plane.get(&plane.operator, "/v1/nodes/xylophis-q1").await.ok();
    let table = [
        ("name", json!("A b"), 422, "nodes[0].name"),
        ("carrier", json!(""), 422, "nodes[0].carrier"),
        ("residency", json!("japan"), 422, "nodes[0].residency"),
        ("ipv4", json!(["10.0.0.0/33"]), 422, "nodes[0].ipv4"),
        ("ipv6", json!("x"), 422, "nodes[0].ipv6"),
        ("sources", json!(["x"]), 422, "nodes[0].sources"),
        ("sources", json!(["198.51.100.9", "10.0.0.7"]), 422, "10.0.0.7 lies in 10.0.0.0/22"),
        ("ipv4", json!(["10.1.0.0/24"]), 409, "the inventory would be wrong"),
    ];
    for (field, value, status, says) in table {
        let mut node = good.clone();
        node[field] = value;
        let answer = plane.put("/v1/nodes", json!({"nodes": [node]})).await;
        answer.refused(status, says);
    }
    plane.put("/v1/nodes", json!({"nodes": [good]})).await.ok();
}

#[tokio::test]
async fn a_body_has_a_limit_on_both_sides_of_it() {
    let plane = Plane::new("api-large").await;
    let note = |len: usize| format!("{{\"note\": \"{}\"}}", "a".repeat(len));
    let around = note(0).len();
    let longest = |max: usize| "a".repeat(max - around);
    let table = [
        (Method::PUT, "/v1/customers/acme", format!("{{\"note\": \"{}\"}}", longest(BODY_BYTES_MAX)), 422),
        (Method::PUT, "/v1/customers/acme", format!("{{\"note\": \"{}\"}} ", longest(BODY_BYTES_MAX)), 413),
        (Method::POST, "/v1/plans", format!("{{\"note\": \"{}\"}}", longest(LONG_BODY_BYTES_MAX)), 400),
        (Method::POST, "/v1/plans", format!("{{\"note\": \"{}\"}} ", longest(LONG_BODY_BYTES_MAX)), 413),
    ];
    for (method, path, body, status) in table {
        let len = body.len();
        let answer = plane.ask(&plane.operator, method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {len}: {}", answer.text);
    }
    // Told before it is read: who may not ask at all sends nothing.
    let request = Request::post("/v1/plans").body(Body::from("a".repeat(LONG_BODY_BYTES_MAX + 1))).unwrap();
    plane.send(request).await.refused(401, "no good token");
}

#[tokio::test]
async fn too_many_of_anything_is_refused() {
    let plane = Plane::new("api-many").await;
    let wish = json!({"wish": "remove", "fqdn": "www.acme.jp"});
    for (count, status, says) in [(10_000, 200, ""), (10_001, 422, "10001 wishes")] {
        let answer = plane.post(&plane.operator, "/v1/plans", json!({"wishes": vec![&wish; count]})).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text.get(..200).unwrap_or(&answer.text));
        assert!(answer.text.contains(says));
    }
    let ban = json!({"prefix": "192.0.2.1"});
    let answer = plane.post(&plane.operator, "/v1/bans", json!({"bans": vec![&ban; 10_001]})).await;
    answer.refused(422, "10001 of them");
}

#[tokio::test]
async fn a_customer_has_only_so_much_at_once() {
    let plane = Plane::new("api-turns").await;
    let mut sheet: Value = serde_json::from_str(&sheet("www.acme.jp", 1)).unwrap();
    sheet["options"] = json!({"a": "a".repeat(200 * 1024)});
    let wish = json!({"wish": "serve", "sheet": sheet.to_string(), "format": "json", "customer": "acme"});
    for (count, says) in [(10, "options.a"), (11, "can be planned at once")] {
        let wishes = json!({"wishes": vec![&wish; count]});
        plane.post(&plane.acme, "/v1/plans", wishes.clone()).await.refused(422, says);
        plane.post(&plane.operator, "/v1/plans", wishes).await.refused(422, "options.a");
    }
    // Bodies that never end hold their places, until whoever sends them hangs up.
    let mut slow = Vec::new();
    for at in 0..AT_ONCE_MAX {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let (asked, tell) = tokio::sync::oneshot::channel::<()>();
        let body = futures_util::stream::once(async move {
            let _ = asked.send(());
            let _ends_when_the_sender_goes = receiver.await;
            Err::<Vec<u8>, _>(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
        });
        let request = Request::post("/v1/plans").header("authorization", format!("Bearer {}", plane.acme));
        let request = request.body(Body::from_stream(body)).unwrap();
        let router = plane.router.clone();
        let task =
            tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() });
        tell.await.unwrap_or_else(|_| panic!("{at} was not read"));
        slow.push((sender, task));
    }
    plane.get(&plane.acme, "/v1/sites").await.refused(429, "requests of this customer are under way");
    for other in [&plane.globex, &plane.operator] {
        plane.get(other, "/v1/sites").await.ok();
    }
    let (sender, task) = slow.pop().unwrap();
    drop(sender);
    assert_eq!(task.await.unwrap(), 400);
    plane.get(&plane.acme, "/v1/sites").await.ok();
    for (sender, task) in slow {
        drop(sender);
        task.await.unwrap();
    }
}

#[tokio::test]
async fn contract_5_a_plan_of_an_older_revision_is_refused_at_apply() {
    let plane = Plane::new("api-stale").await;
    let plan = plane.post(&plane.acme, "/v1/plans", serve("www.acme.jp", 200, None)).await.ok();
    let apply = format!("/v1/plans/{}/apply", plan["id"].as_str().unwrap());
    plane.apply(&plane.globex, serve("www.globex.jp", 200, None)).await.ok();
    let answer = plane.post(&plane.acme, &apply, json!({})).await;
    answer.refused(409, "plan again, and apply that plan");
    let site = plane.get(&plane.acme, "/v1/sites/www.acme.jp").await.ok();
    assert_eq!(site["peak"]["requests_s"], 100, "nothing was changed");
    plane.post(&plane.acme, &apply, json!({})).await.refused(404, "there is no plan");
    plane.apply(&plane.acme, serve("www.acme.jp", 200, None)).await.ok();
    let site = plane.get(&plane.acme, "/v1/sites/www.acme.jp").await.ok();
    assert_eq!(site["peak"]["requests_s"], 200);
}

//! Who may do what: every route of the document, with every kind of token.

use axum::http::Method;
use serde_json::{Value, json};

use super::routes::documented;
use super::{NOW, Plane, serve};
use crate::control::environment::Customer;
use crate::control::token::Role;
use crate::model::Wall;

/// What a customer's token may get from a route, and how to ask for another customer's things there.
enum Case {
    /// No token is asked for, and nobody's things are told.
    Public,
    /// Operators only.
    Operators,
    /// What is asked for is the asker's own, whatever is asked.
    Own,
    /// Path and body that ask for `www.globex.jp`, each refused.
    Foreign(Vec<(String, Value)>),
}

/// A route that is not here has not been thought about.
fn case(method: &Method, path: &str, plan: &str) -> Case {
    let foreign = |path: &str| Case::Foreign(vec![(path.to_owned(), json!({}))]);
    let bodies =
        |bodies: Vec<Value>| Case::Foreign(bodies.into_iter().map(|body| (path.to_owned(), body)).collect());
    match (method.as_str(), path) {
        ("GET", "/v1/healthz" | "/v1/openapi.json") => Case::Public,
        ("GET", "/v1/whoami" | "/v1/sites") => Case::Own,
        ("GET", "/v1/sites/{fqdn}/usage") => foreign("/v1/sites/www.globex.jp/usage"),
        ("GET", "/v1/sites/{fqdn}") => foreign("/v1/sites/www.globex.jp"),
        ("GET", "/v1/sites/{fqdn}/notice") => Case::Foreign(vec![
            ("/v1/sites/www.globex.jp/notice".to_owned(), json!({})),
            ("/v1/sites/www.globex.jp/notice?language=ja".to_owned(), json!({})),
        ]),
        ("POST", "/v1/plans") => {
            let wish = |wish: &str| json!({"wishes": [{"wish": wish, "fqdn": "www.globex.jp"}]});
            let mut hidden = serve("new.acme.jp", 1, None);
            hidden["wishes"].as_array_mut().unwrap().push(json!({"wish": "remove", "fqdn": "www.globex.jp"}));
            bodies(vec![
                serve("www.globex.jp", 1, None),
                serve("WWW.Globex.jp.", 1, None),
                serve("www.globex.jp", 1, Some("globex")),
                serve("new.globex.jp", 1, Some("globex")),
                serve("new.globex.jp", 1, Some("nobody")),
                wish("move"),
                wish("close"),
                wish("remove"),
                wish("roll_back"),
                hidden,
            ])
        }
        ("GET", "/v1/plans/{id}") => foreign(&format!("/v1/plans/{plan}")),
        ("POST", "/v1/plans/{id}/apply") => foreign(&format!("/v1/plans/{plan}/apply")),
        ("GET", "/v1/bans") => foreign("/v1/bans?site=www.globex.jp"),
        ("POST", "/v1/bans") => {
            let bans = json!([{"prefix": "192.0.2.7"}]);
            bodies(vec![json!({"bans": bans}), json!({"site": "www.globex.jp", "bans": bans})])
        }
        ("POST", "/v1/bans/lift") => {
            let bans = json!([{"prefix": "192.0.2.9"}]);
            bodies(vec![json!({"bans": bans}), json!({"site": "www.globex.jp", "bans": bans})])
        }
        ("GET", "/v1/sites/{fqdn}/environments" | "/v1/plans/{id}/detail")
        | ("POST", "/v1/plans/evacuation")
        | ("GET" | "PUT", "/v1/nodes")
        | ("GET" | "DELETE", "/v1/nodes/{name}")
        | ("POST", "/v1/nodes/{name}/drain" | "/v1/nodes/{name}/undrain" | "/v1/nodes/{name}/dead")
        | ("POST", "/v1/nodes/{name}/join-token" | "/v1/nodes/{name}/revoke")
        | ("GET", "/v1/customers" | "/v1/usage" | "/v1/audit" | "/v1/export")
        | ("PUT" | "DELETE", "/v1/customers/{name}")
        | ("GET" | "POST", "/v1/tokens")
        | ("DELETE", "/v1/tokens/{id}") => Case::Operators,
        _ => panic!("{method} {path}: say what a customer's token may do there"),
    }
}

/// The path with something in the place of its parameters: of an own site, where there is a choice.
fn filled(path: &str) -> String {
    path.replace("{fqdn}", "www.acme.jp").replace("{id}", "0123").replace("{name}", "xylophis-q1")
}

/// What tells of another customer.
fn assert_silent(text: &str, at: &str) {
    let text = text.replace("www.globex.jp", "").replace("new.globex.jp", "");
    for word in ["globex", ".edge.example.net", "203.0.113.9", "2001:db8"] {
        assert!(!text.contains(word), "{at}: {word} in {text}");
    }
}

#[tokio::test]
async fn a_customers_token_gets_nothing_of_another_customer_on_any_route() {
    let plane = Plane::new("api-foreign").await;
    let plan = plane.post(&plane.globex, "/v1/plans", serve("www.globex.jp", 7, None)).await.ok();
    let plan = plan["id"].as_str().unwrap();
    let ban = json!({"site": "www.globex.jp", "bans": [{"prefix": "192.0.2.9", "reason": "globex knows"}]});
    plane.post(&plane.globex, "/v1/bans", ban).await.ok();
    let before = plane.ledger.view().revision();
    for (method, path) in documented() {
        let at = format!("{method} {path}");
        match case(&method, &path, plan) {
            Case::Public => {}
            Case::Own => {
                let answer = plane.ask(&plane.acme, method, &path, "").await;
                assert!(answer.status.is_success(), "{at}: {}", answer.text);
                assert!(!answer.text.contains("globex"), "{at}: {}", answer.text);
            }
            Case::Operators => {
                let answer = plane.ask(&plane.acme, method, &filled(&path), "{}").await;
                answer.refused(403, "this is for operators only");
                assert_silent(&answer.text, &at);
            }
            Case::Foreign(ways) => {
                for (path, body) in ways {
                    let answer = plane.ask(&plane.acme, method.clone(), &path, body.to_string()).await;
                    let status = answer.status.as_u16();
                    assert!(matches!(status, 403 | 404 | 422), "{at} {body}: {status} {}", answer.text);
                    assert_silent(&answer.text, &at);
                }
            }
        }
    }
    assert_eq!(plane.ledger.view().revision(), before, "nothing was changed");
    let bans = plane.get(&plane.globex, "/v1/bans").await.ok();
    assert_eq!(bans["bans"].as_array().map(Vec::len), Some(1), "{bans}");
    let bans = plane.get(&plane.acme, "/v1/bans").await.ok();
    assert_eq!(bans["bans"], json!([]), "another's are not listed either");
}

#[tokio::test]
async fn what_is_anothers_is_answered_as_what_is_not_there() {
    let plane = Plane::new("api-alike").await;
    for path in ["/v1/sites/NAME", "/v1/sites/NAME/notice", "/v1/sites/NAME/usage", "/v1/bans?site=NAME"] {
        let foreign = plane.get(&plane.acme, &path.replace("NAME", "www.globex.jp")).await;
        let missing = plane.get(&plane.acme, &path.replace("NAME", "www.nobody.jp")).await;
        assert_eq!(foreign.text.replace("globex", "nobody"), missing.text, "{path}");
        missing.refused(404, "there is no site");
    }
}

#[tokio::test]
async fn no_route_but_the_public_ones_is_answered_without_a_good_token() {
    let plane = Plane::new("api-tokens").await;
    let acme = || Role::Customer(Customer::new("acme").unwrap());
    let revoked = plane.token(Role::Operator, None).await;
    let tokens = plane.get(&revoked, "/v1/whoami").await.ok();
    let id = tokens["token"]["id"].as_str().unwrap().to_owned();
    let answer = plane.ask(&plane.operator, Method::DELETE, &format!("/v1/tokens/{id}"), "").await;
    assert_eq!(answer.ok()["id"], json!(id));
    let bad = [
        ("none", String::new()),
        ("no token's form", "waf_1".to_owned()),
        ("unknown", format!("waf_{}", "0".repeat(64))),
        ("revoked", revoked),
        ("expired, an operator's", plane.token(Role::Operator, Some(NOW)).await),
        ("expired, a customer's", plane.token(acme(), Some(Wall(NOW.0 - 1))).await),
    ];
    for (method, path) in documented() {
        let is_public = matches!(case(&method, &path, ""), Case::Public);
        for (name, token) in &bad {
            let answer = plane.ask(token, method.clone(), &filled(&path), "").await;
            if is_public {
                assert!(answer.status.is_success(), "{method} {path} {name}: {}", answer.text);
            } else {
                answer.refused(401, "there is no good token with this request");
            }
        }
    }
    let soon = plane.token(acme(), Some(Wall(NOW.0 + 3_600_000))).await;
    plane.get(&soon, "/v1/sites").await.ok();
}

#[tokio::test]
async fn a_customer_that_is_removed_takes_its_tokens_along() {
    let plane = Plane::new("api-gone").await;
    let path = "/v1/customers/acme";
    let answer = plane.ask(&plane.operator, Method::DELETE, path, "").await;
    answer.refused(409, "customer acme has sites (1): remove them first");
    plane.get(&plane.acme, "/v1/whoami").await.ok();
    let wish = json!({"wishes": [{"wish": "remove", "fqdn": "www.acme.jp"}]});
    plane.apply(&plane.acme, wish).await.ok();
    plane.ask(&plane.operator, Method::DELETE, path, "").await.ok();
    plane.get(&plane.acme, "/v1/whoami").await.refused(401, "no good token");
    // Nor does another customer of that name get them, where the removal broke off half-way.
    let role = Role::Customer(Customer::new("acme").unwrap());
    let left = plane.token(role, None).await;
    plane.get(&left, "/v1/whoami").await.ok();
    plane.put(path, json!({})).await.ok();
    plane.get(&left, "/v1/whoami").await.refused(401, "no good token");
    let new = json!({"role": "customer", "customer": "nobody", "note": ""});
    plane.post(&plane.operator, "/v1/tokens", new).await.refused(404, "there is no customer");
}

#[tokio::test]
async fn a_customer_rolls_back_and_removes_its_own_and_moves_nothing() {
    let plane = Plane::new("api-own").await;
    let wish = |wish: &str| json!({"wishes": [{"wish": wish, "fqdn": "www.acme.jp"}]});
    for operators in ["move", "close"] {
        plane.post(&plane.acme, "/v1/plans", wish(operators)).await.refused(403, "operators only");
    }
    let before = plane.get(&plane.acme, "/v1/sites/www.acme.jp").await.ok();
    plane.apply(&plane.operator, wish("move")).await.ok();
    let moved = plane.get(&plane.acme, "/v1/sites/www.acme.jp").await.ok();
    assert_ne!(moved["cname"], before["cname"]);
    assert_eq!(moved["old"]["cname"], before["cname"]);
    plane.apply(&plane.acme, wish("roll_back")).await.ok();
    let back = plane.get(&plane.acme, "/v1/sites/www.acme.jp").await.ok();
    assert_eq!((&back["cname"], &back["addresses"]), (&before["cname"], &before["addresses"]));
}

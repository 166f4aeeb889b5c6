//! What a customer is told in a site's whole life: never a node, a carrier or a region.

use axum::http::Method;
use serde_json::{Value, json};

use super::routes::documented;
use super::{Answer, CARRIERS, NODES, Plane, REGIONS, serve, serve_tls};

/// Everything that a customer was answered, and what must not be in it.
struct Ear<'a> {
    plane: &'a Plane,
    heard: Vec<(String, String)>,
}

impl Ear<'_> {
    fn hear(&mut self, at: &str, answer: Answer) -> Value {
        self.heard.push((at.to_owned(), answer.text.clone()));
        answer.json()
    }

    async fn get(&mut self, path: &str) -> Value {
        let answer = self.plane.get(&self.plane.acme, path).await;
        self.hear(path, answer)
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        let answer = self.plane.post(&self.plane.acme, path, body).await;
        self.hear(path, answer)
    }

    /// Plans, looks at the plan, applies it.
    async fn apply(&mut self, wishes: Value) -> Value {
        let plan = self.post("/v1/plans", wishes).await;
        let path = format!("/v1/plans/{}", plan["id"].as_str().unwrap_or("none"));
        assert_eq!(self.get(&path).await, plan);
        self.post(&format!("{path}/apply"), json!({})).await
    }

    async fn look(&mut self) {
        for path in [
            "",
            "/www.acme.jp",
            "/www.acme.jp/notice",
            "/www.acme.jp/notice?language=ja",
            "/www.acme.jp/usage",
        ] {
            self.get(&format!("/v1/sites{path}")).await;
        }
    }
}

fn assert_silent(heard: &[(String, String)]) {
    let words = CARRIERS.iter().chain(&REGIONS).chain(&NODES);
    for (word, (at, text)) in words.flat_map(|word| heard.iter().map(move |heard| (word, heard))) {
        assert!(!text.contains(word), "{at} tells of {word}: {text}");
    }
}

fn outcome(answer: &Value) -> &Value {
    &answer["notices"][0]["outcome"]
}

#[tokio::test]
async fn contract_3_no_answer_to_a_customer_names_a_node_a_carrier_or_a_region() {
    let plane = Plane::new("api-hidden").await;
    let mut ear = Ear { plane: &plane, heard: Vec::new() };
    let wish = |wish: &str| json!({"wishes": [{"wish": wish, "fqdn": "www.acme.jp"}]});
    ear.look().await;
    let same = ear.apply(serve("www.acme.jp", 100, None)).await;
    assert_eq!(outcome(&same), "same");
    let in_place = ear.apply(serve("www.acme.jp", 200, None)).await;
    assert_eq!(outcome(&in_place), "in_place");
    let (tls, _) = serve_tls("www.acme.jp", None);
    assert_eq!(outcome(&ear.apply(tls).await), "in_place");
    let mut abroad: Value = serde_json::from_str(&super::sheet("www.acme.jp", 100)).unwrap();
    abroad["residency"] = json!("de");
    let abroad = json!({"wishes": [{"wish": "serve", "sheet": abroad.to_string(), "format": "json"}]});
    let refused = ear.post("/v1/plans", abroad).await;
    assert_eq!(refused["refusals"].as_array().map(Vec::len), Some(1), "{refused}");
    let refused = ear.post("/v1/plans", serve("huge.acme.jp", 9_000_000, None)).await;
    assert_eq!(refused["refusals"].as_array().map(Vec::len), Some(1), "{refused}");
    assert_eq!(outcome(&refused), "no_place");
    // Our doing, which the customer sees.
    plane.apply(&plane.operator, wish("move")).await.ok();
    ear.look().await;
    let under_way = ear.post("/v1/plans", serve("www.acme.jp", 80_000, None)).await;
    assert_eq!(outcome(&under_way), "move_under_way", "{under_way}");
    ear.apply(wish("roll_back")).await;
    ear.look().await;
    plane.apply(&plane.operator, wish("close")).await.ok();
    for node in NODES {
        plane.post(&plane.operator, &format!("/v1/nodes/{node}/drain"), json!({})).await.ok();
    }
    let refused = ear.post("/v1/plans", serve("late.acme.jp", 1, None)).await;
    assert_eq!(refused["refusals"].as_array().map(Vec::len), Some(1), "{refused}");
    let stale = ear.post("/v1/plans", serve("www.acme.jp", 100, None)).await;
    plane.post(&plane.operator, &format!("/v1/nodes/{}/undrain", NODES[0]), json!({})).await.ok();
    let stale = format!("/v1/plans/{}/apply", stale["id"].as_str().unwrap());
    assert_eq!(ear.post(&stale, json!({})).await["status"], 409);
    ear.post("/v1/bans", json!({"site": "www.acme.jp", "bans": [{"prefix": "192.0.2.7"}]})).await;
    assert_eq!(ear.get("/v1/bans").await["bans"].as_array().map(Vec::len), Some(1));
    ear.apply(wish("remove")).await;
    ear.look().await;
    assert!(ear.heard.len() > 30, "{}", ear.heard.len());
    assert_silent(&ear.heard);
    // The words do stand in what an operator reads, so they can be found.
    let nodes = plane.get(&plane.operator, "/v1/nodes").await;
    for word in CARRIERS.iter().chain(&REGIONS).chain(&NODES) {
        assert!(nodes.text.contains(word), "{word}");
    }
}

#[tokio::test]
async fn contract_3_no_route_tells_a_customer_of_them_however_it_is_asked() {
    let plane = Plane::new("api-hidden-routes").await;
    let mut heard = Vec::new();
    for (method, path) in documented() {
        for body in ["", "{}", "{", "[]", "{\"wishes\": [{\"wish\": \"move\", \"fqdn\": \"www.acme.jp\"}]}"] {
            // Names that are there, where one stands in the path: the answer must not say so.
            let at = path.replace("{fqdn}", "www.acme.jp").replace("{id}", "0").replace("{name}", "-");
            let answer = plane.ask(&plane.acme, method.clone(), &at, body).await;
            heard.push((format!("{method} {at} {body}"), answer.text));
        }
    }
    assert_silent(&heard);
    for there in NODES {
        for what in ["", "/drain", "/join-token", "/revoke"] {
            let method = if what.is_empty() { Method::GET } else { Method::POST };
            let ask = |name: &str| format!("/v1/nodes/{name}{what}");
            let there = plane.ask(&plane.acme, method.clone(), &ask(there), "{}").await;
            let missing = plane.ask(&plane.acme, method, &ask("nothing"), "{}").await;
            assert_eq!((there.status, there.text), (missing.status, missing.text));
        }
    }
}

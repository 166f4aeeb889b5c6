//! The API over a real ledger on SQLite, request by request, without a socket.

mod audit;
mod hidden;
mod refusals;
mod rights;
mod routes;
mod usage;
mod writers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Api, Clocks};
use crate::control::audit::record::Actor;
use crate::control::authority::Authority;
use crate::control::bans::BanBook;
use crate::control::environment::Customer;
use crate::control::ledger::Ledger;
use crate::control::store::{Folder, SqliteStore, Store};
use crate::control::sync::Fleet;
use crate::control::token::{Role, TokenBook, Wanted};
use crate::model::{Fqdn, Wall};
use crate::secret::{KeyRing, Secret};
use crate::tls::fixtures;

/// When the tests begin.
pub const NOW: Wall = Wall(1_795_564_800_000);

/// Later each time it is asked, so that the order of what was done can be told.
fn ticking() -> Wall {
    static TICKS: AtomicU64 = AtomicU64::new(1);
    Wall(NOW.0 + TICKS.fetch_add(1, Ordering::Relaxed))
}

/// Names that stand in no sentence by chance: what no customer may be told.
pub const CARRIERS: [&str; 2] = ["quokkamoor", "zwiebelfjord"];
pub const REGIONS: [&str; 2] = ["pangolinburg", "axolotlia"];
pub const NODES: [&str; 4] = ["xylophis-q1", "xylophis-q2", "vexillum-z1", "vexillum-z2"];

/// A control plane with two carriers, two customers of one site each, and tokens for everybody.
pub struct Plane {
    pub router: Router,
    pub ledger: Arc<Ledger>,
    pub store: Arc<dyn Store>,
    pub tokens: TokenBook,
    pub fleet: Arc<Fleet>,
    pub operator: String,
    /// Owns `www.acme.jp`.
    pub acme: String,
    /// Owns `www.globex.jp`.
    pub globex: String,
    _folder: Folder,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub kind: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    /// That it is a problem with this status, whose text says so.
    #[track_caller]
    pub fn refused(&self, status: u16, says: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.kind, "application/problem+json", "{}", self.text);
        assert_eq!(self.json()["status"], status);
        assert!(self.text.contains(says), "{says:?} is not in {}", self.text);
    }
}

/// A sheet without TLS.
pub fn sheet(fqdn: &str, requests_s: u64) -> String {
    json!({"fqdn": fqdn, "origins": ["http://203.0.113.9"], "peak": {"requests_s": requests_s, "mbit_s": 1}})
        .to_string()
}

pub fn serve(fqdn: &str, requests_s: u64, customer: Option<&str>) -> Value {
    json!({"wishes": [{"wish": "serve", "sheet": sheet(fqdn, requests_s), "format": "json", "customer": customer}]})
}

/// With a certificate; its key's text, too.
pub fn serve_tls(fqdn: &str, customer: Option<&str>) -> (Value, String) {
    let (chain, key) = fixtures::Authority::new().issue(&[fqdn]);
    let sheet = json!({
        "fqdn": fqdn, "origins": ["http://203.0.113.9"], "tls": {"chain": chain, "key": key},
        "peak": {"requests_s": 10, "mbit_s": 1, "handshakes_s": 1},
    });
    let wish = json!({"wish": "serve", "sheet": sheet.to_string(), "format": "json", "customer": customer});
    (json!({"wishes": [wish]}), key)
}

fn node(at: usize, name: &str) -> Value {
    let (side, capacity) = (at / 2, json!({"requests_s": 100_000, "mbit_s": 90_000, "handshakes_s": 9_000}));
    json!({
        "name": name, "carrier": CARRIERS[side], "region": REGIONS[side], "capacity": capacity,
        "ipv4": [format!("10.{at}.0.0/22")], "ipv6": format!("2001:db8:{at}::/96"),
        "sources": [format!("198.51.100.{}", at + 1)],
    })
}

impl Plane {
    /// Without sites.
    pub async fn empty(name: &str) -> Self {
        let folder = Folder::new(name);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path()).unwrap());
        let keys = Arc::new(KeyRing::new(&Secret::new([7; 32]), &[]).unwrap());
        let zone = Fqdn::new("edge.example.net").unwrap();
        let ledger = Ledger::open(Arc::clone(&store), Arc::clone(&keys), zone).await.unwrap();
        let authority = Arc::new(Authority::open(Arc::clone(&store), &keys, NOW).await.unwrap());
        let bans = BanBook::open_at(Arc::clone(&store), Arc::new(|| NOW)).await.unwrap();
        let fleet =
            Fleet::new(Arc::clone(&store), Arc::clone(&ledger), Arc::clone(&authority), Arc::clone(&bans));
        let tokens = TokenBook::new(Arc::clone(&store));
        let clocks = Clocks { clock: ticking, uptime: usage::now };
        let api =
            Api::new(Arc::clone(&store), Arc::clone(&ledger), bans, authority, Arc::clone(&fleet), clocks);
        let mut plane = Self {
            router: api.router(),
            ledger,
            store,
            tokens,
            fleet,
            operator: String::new(),
            acme: String::new(),
            globex: String::new(),
            _folder: folder,
        };
        plane.operator = plane.token(Role::Operator, None).await;
        let nodes: Vec<Value> = NODES.iter().enumerate().map(|(at, name)| node(at, name)).collect();
        plane.put("/v1/nodes", json!({ "nodes": nodes })).await.ok();
        plane
    }

    pub async fn new(name: &str) -> Self {
        let mut plane = Self::empty(name).await;
        plane.acme = plane.customer("acme").await;
        plane.globex = plane.customer("globex").await;
        for name in ["acme", "globex"] {
            plane.apply(&plane.operator, serve(&format!("www.{name}.jp"), 100, Some(name))).await.ok();
        }
        plane
    }

    pub async fn token(&self, role: Role, expires: Option<Wall>) -> String {
        let wanted = Wanted { role, note: "of the tests", expires };
        let (text, _) = self.tokens.make(wanted, &[], (&Actor::System, NOW)).await.unwrap();
        text.reveal().to_owned()
    }

    /// A customer, and a token of it.
    pub async fn customer(&self, name: &str) -> String {
        self.put(&format!("/v1/customers/{name}"), json!({})).await.ok();
        self.token(Role::Customer(Customer::new(name).unwrap()), None).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let kind = head.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        Answer {
            status: head.status,
            kind: kind.unwrap_or_default(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub async fn ask(&self, token: &str, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        self.send(request.body(body.into()).unwrap()).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, Method::GET, path, Body::empty()).await
    }

    pub async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.ask(token, Method::POST, path, body.to_string()).await
    }

    /// As the operator.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(&self.operator, Method::PUT, path, body.to_string()).await
    }

    /// Plans these wishes and applies the plan.
    pub async fn apply(&self, token: &str, wishes: Value) -> Answer {
        let plan = self.post(token, "/v1/plans", wishes).await.ok();
        assert_eq!(plan["refusals"], json!([]), "{plan}");
        let id = plan["id"].as_str().unwrap();
        self.post(token, &format!("/v1/plans/{id}/apply"), json!({})).await
    }
}

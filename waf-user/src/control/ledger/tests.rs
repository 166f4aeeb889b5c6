//! A ledger in a real store: what is applied is there after opening it again, and others see it.

mod killed;
mod lossy;

use std::time::Duration;

use super::*;
use crate::control::audit::aside::{self, AsideError};
use crate::control::audit::cursor::AuditCursor;
use crate::control::environment::Customer;
use crate::control::inventory::tests::{node, six_nodes};
use crate::control::inventory::{Node, NodeState};
use crate::control::plan::tests::{NOW, customer, serve, sheet as site};
use crate::control::sheet::{self, Format};
use crate::control::store::{Folder, Guard, Key, SqliteStore, Transaction};
use crate::model::NodeName;
use crate::tls::fixtures::Authority;

fn keys() -> Arc<KeyRing> {
    Arc::new(KeyRing::new(&Secret::new([7; 32]), &[]).unwrap())
}

fn zone() -> Fqdn {
    Fqdn::new("edge.example.net").unwrap()
}

fn operator() -> Actor {
    Actor::Operator("ayumi".to_owned())
}

fn sqlite(folder: &Folder) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(folder.path()).unwrap())
}

async fn open(store: &Arc<dyn Store>) -> Arc<Ledger> {
    Ledger::open(Arc::clone(store), keys(), zone()).await.unwrap()
}

async fn with_nodes(store: &Arc<dyn Store>) -> Arc<Ledger> {
    let ledger = open(store).await;
    ledger.put_nodes(six_nodes(), &operator(), NOW).await.unwrap();
    let record = CustomerRecord { name: customer(), note: "of the tests".to_owned(), since: NOW };
    ledger.put_customer(&record, &operator(), NOW).await.unwrap();
    ledger
}

fn wishes(count: usize, requests_s: u64) -> Vec<Wish> {
    (0..count).map(|at| serve(&site(&format!("www{at}.example.jp"), requests_s))).collect()
}

fn assert_valid(view: &View) {
    let found: Vec<String> = view.state.violations(&view.inventory).iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new());
}

/// A site weighs so little that all of these fit, and an apply of them takes several transactions.
const MANY: usize = 300;

#[tokio::test]
async fn what_is_applied_is_there_after_opening_again() {
    for count in [1, MANY] {
        let folder = Folder::new("ledger");
        let store = sqlite(&folder);
        let ledger = with_nodes(&store).await;
        let plan = ledger.plan(&wishes(count, 2), NOW);
        assert_eq!(plan.refusals, []);
        let applied = ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap();
        assert_eq!(applied.revision, Revision(3), "{count}");
        let view = ledger.view();
        assert_valid(&view);
        assert_eq!(view.state.sites().len(), count);
        let again = open(&store).await.view();
        assert_eq!(again.state, view.state, "{count}");
        assert_eq!(again.inventory, view.inventory, "{count}");
        assert_eq!(again.customers, view.customers, "{count}");
        assert_eq!(again.policy.salt, view.policy.salt);
        let entries = ledger.audit(None, 1).await.unwrap().entries;
        assert_eq!(entries.first().map(|entry| entry.changes.len()), Some(count), "all told of");
        let pending = Prefix::new("ledger/pending/").unwrap();
        assert_eq!(store.list(&pending).await.unwrap().entries, [], "{count}");
    }
}

#[tokio::test]
async fn an_older_plan_changes_nothing() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    let (one, other) = (with_nodes(&store).await, open(&store).await);
    let plans = [one.plan(&wishes(1, 2), NOW), one.plan(&wishes(2, 2), NOW)];
    one.apply(&plans[0], Vec::new(), &operator(), NOW).await.unwrap();
    let view = one.view();
    assert!(one.apply(&plans[1], Vec::new(), &operator(), NOW).await.unwrap_err().is_stale());
    // This one may not have heard yet: the store refuses it then.
    assert!(other.apply(&plans[1], Vec::new(), &operator(), NOW).await.unwrap_err().is_stale());
    assert_eq!(open(&store).await.view().state, view.state);
}

#[tokio::test]
async fn others_on_the_store_follow() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    let (one, other) = (with_nodes(&store).await, open(&store).await);
    let mut changed = other.changed();
    let plan = one.plan(&wishes(MANY, 2), NOW);
    let revision = one.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap().revision;
    let heard = changed.wait_for(|it| *it == revision);
    tokio::time::timeout(Duration::from_secs(30), heard).await.unwrap().unwrap();
    assert_eq!(other.view().state, one.view().state);
}

#[tokio::test]
async fn the_zone_is_for_ever() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    drop(open(&store).await);
    let asked = Fqdn::new("other.example.net").unwrap();
    let error = Ledger::open(store, keys(), asked).await.err().map(|error| error.to_string());
    let said = "this control plane keeps zone edge.example.net, not other.example.net";
    assert!(error.as_ref().is_some_and(|error| error.starts_with(said)), "{error:?}");
}

#[tokio::test]
async fn whose_customer_is_unknown_is_not_served() {
    let folder = Folder::new("ledger");
    let ledger = with_nodes(&sqlite(&folder)).await;
    let error = ledger.remove_customer(&Customer::new("nobody").unwrap(), &operator(), NOW).await;
    assert!(matches!(error, Err(LedgerError::UnknownCustomer(_))), "{error:?}");
    let plan = ledger.plan(&wishes(1, 2), NOW);
    ledger.remove_customer(&customer(), &operator(), NOW).await.unwrap();
    assert!(ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap_err().is_stale());
    let plan = ledger.plan(&wishes(1, 2), NOW);
    let error = ledger.apply(&plan, Vec::new(), &operator(), NOW).await;
    assert!(matches!(error, Err(LedgerError::UnknownCustomer(_))), "{error:?}");
    assert!(ledger.view().state.sites().is_empty());
}

#[tokio::test]
async fn a_customer_with_sites_stays() {
    let folder = Folder::new("ledger");
    let ledger = with_nodes(&sqlite(&folder)).await;
    let plan = ledger.plan(&wishes(2, 2), NOW);
    ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap();
    let error = ledger.remove_customer(&customer(), &operator(), NOW).await;
    assert!(matches!(error, Err(LedgerError::CustomerHasSites { sites: 2, .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_large_applies_at_once_one_is_there_whole() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    let ledgers = [with_nodes(&store).await, open(&store).await];
    for round in 0..20_u64 {
        let view = ledgers[0].view();
        let mut changed = ledgers[1].changed();
        changed.wait_for(|it| *it == view.revision()).await.unwrap();
        let plans = [1, 2].map(|more| view.plan(&wishes(MANY, 2 * round + more), NOW));
        let operator = operator();
        let (one, other) = tokio::join!(
            ledgers[0].apply(&plans[0], Vec::new(), &operator, NOW),
            ledgers[1].apply(&plans[1], Vec::new(), &operator, NOW),
        );
        let won = if one.is_ok() { &plans[0] } else { &plans[1] };
        let lost = if one.is_ok() { other } else { one };
        assert!(lost.unwrap_err().is_stale(), "round {round}");
        let mut expected = view.state.clone();
        expected.apply(won).unwrap();
        let there = open(&store).await.view();
        assert_eq!(there.state, expected, "round {round}");
        assert_valid(&there);
        let mut changed = ledgers[0].changed();
        changed.wait_for(|it| *it == there.revision()).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_not_written_by_us_is_named() {
    let table = [
        ("ledger/counter", "{}"),
        ("ledger/policy", "salt"),
        ("ledger/node/a1", r#"{"name":"a1"}"#),
        ("ledger/customer/acme", r#"{"name":"ACME","since":0}"#),
    ];
    for (place, value) in table {
        let folder = Folder::new("ledger");
        let store = sqlite(&folder);
        drop(with_nodes(&store).await);
        let put = Operation::put(&Key::new(place).unwrap(), value);
        store.commit(Transaction::new(Vec::new(), vec![put]).unwrap()).await.unwrap();
        let error = Ledger::open(store, keys(), zone()).await.err().map(|error| error.to_string());
        let named = place.rsplit('/').next().unwrap_or_default().to_lowercase();
        assert!(error.as_ref().is_some_and(|it| it.to_lowercase().contains(&named)), "{place}: {error:?}");
    }
}

#[tokio::test]
async fn nodes_that_serve_keep_what_they_serve_at() {
    let folder = Folder::new("ledger");
    let ledger = with_nodes(&sqlite(&folder)).await;
    let plan = ledger.plan(&wishes(1, 2), NOW);
    ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap();
    let view = ledger.view();
    let serving = view.state.loaded().first().map(|name| (*name).clone()).unwrap();
    let known = view.inventory.node(&serving).unwrap();
    let put = async |alter: fn(&mut Node)| {
        let mut node = known.clone();
        alter(&mut node);
        ledger.put_nodes(vec![node], &operator(), NOW).await.map_err(|error| error.to_string())
    };
    for (what, alter) in [
        (
            "its carrier",
            (|node| node.carrier = crate::model::Carrier::new("carrier-z").unwrap()) as fn(&mut Node),
        ),
        ("its IPv6 prefix", |node| node.ipv6 = None),
        ("an IPv4 address in use", |node| {
            node.ipv4 = super::super::inventory::tests::pool(&["10.99.0.0/28"])
        }),
    ] {
        let said = put(alter).await.unwrap_err();
        assert!(said.contains(what), "{what}: {said}");
    }
    put(|node| node.capacity.requests_s += 1).await.unwrap();
    let error = ledger.remove_node(&serving, &operator(), NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::NodeInUse { environments: 1, .. }), "{error}");
    let unknown = NodeName::new("nobody").unwrap();
    let error = ledger.set_node_state(&unknown, NodeState::Dead, &operator(), NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::UnknownNode(_)), "{error}");
    let broken = Node { sources: Vec::new(), ..node("c1", "carrier-c", 30) };
    let twice = vec![node("c1", "carrier-c", 30), node("c1", "carrier-d", 31)];
    for nodes in [vec![broken], twice] {
        let error = ledger.put_nodes(nodes, &operator(), NOW).await.unwrap_err();
        assert!(matches!(error, LedgerError::Inventory(_)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_writers_take_their_turns() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    let ledgers = [open(&store).await, open(&store).await];
    let mut writers = Vec::new();
    for at in 0..1_000_usize {
        let ledger = Arc::clone(&ledgers[at % 2]);
        writers.push(tokio::spawn(async move {
            let name = Customer::new(&format!("c{at}")).unwrap();
            let record = CustomerRecord { name, note: String::new(), since: NOW };
            loop {
                match ledger.put_customer(&record, &operator(), NOW).await {
                    Err(error) if error.is_stale() => {}
                    other => return other.unwrap(),
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let view = open(&store).await.view();
    assert_eq!((view.customers.len(), view.revision()), (1_000, Revision(1_000)));
    let entries = ledgers[0].audit(None, 2_000).await.unwrap().entries;
    assert_eq!(entries.len(), 1_000, "one entry a change, none lost");
}

#[tokio::test]
async fn the_audit_log_says_who_and_what() {
    let folder = Folder::new("ledger");
    let ledger = with_nodes(&sqlite(&folder)).await;
    let actor = Actor::Customer { customer: customer(), token: "ci".to_owned() };
    for requests_s in [2, 3] {
        let plan = ledger.plan(&wishes(1, requests_s), NOW);
        ledger.apply(&plan, Vec::new(), &actor, NOW).await.unwrap();
    }
    let entries = ledger.audit(None, 10).await.unwrap().entries;
    let revisions: Vec<_> = entries.iter().map(|entry| entry.revision).collect();
    assert_eq!(revisions, [4, 3, 2, 1].map(|revision| Some(Revision(revision))));
    let newest = &entries[0];
    assert_eq!((newest.actor.as_str(), newest.changes.len()), ("customer acme (ci)", 1));
    let change = &newest.changes[0];
    assert_eq!((change.subject.as_str(), change.customer.as_deref()), ("site www0.example.jp", Some("acme")));
    let fields: Vec<&str> = change.differences.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["peak.requests_s"]);
}

#[tokio::test]
async fn changes_beside_the_ledger_are_told_in_their_place() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    let ledger = open(&store).await;
    let beside = async |name: &str, at: u64| {
        let key = Key::new(format!("token/{name}")).unwrap();
        let change = AuditChange {
            subject: format!("token {name}"),
            action: "make".to_owned(),
            customer: None,
            reasons: Vec::new(),
            differences: Vec::new(),
        };
        let operations = [Operation::put(&key, "it")];
        let who = (&operator(), Wall(at));
        aside::write(&*store, &[Guard::Absent(key)], &operations, vec![change], who).await
    };
    let within = async |name: &str, at: u64| {
        let name = Customer::new(name).unwrap();
        let record = CustomerRecord { name, note: String::new(), since: Wall(at) };
        ledger.put_customer(&record, &operator(), Wall(at)).await.unwrap();
    };
    beside("a", 1).await.unwrap();
    within("b", 2).await;
    beside("c", 3).await.unwrap();
    beside("d", 4).await.unwrap();
    within("e", 5).await;
    let error = beside("a", 6).await.unwrap_err();
    assert!(matches!(&error, AsideError::Store(error) if error.is_conflict()), "{error}");
    let mut told = Vec::new();
    let mut before = None;
    for pages in 1.. {
        let page = ledger.audit(before, 2).await.unwrap();
        told.extend(page.entries.iter().map(|entry| (entry.at.0, entry.changes[0].subject.clone())));
        before = page.next.map(|cursor| cursor.to_string().parse().unwrap());
        if before.is_none() {
            assert_eq!(pages, 3);
            break;
        }
    }
    let expected = [(5, "customer e"), (4, "token d"), (3, "token c"), (2, "customer b"), (1, "token a")];
    assert_eq!(told, expected.map(|(at, subject)| (at, subject.to_owned())));
    assert!("1".parse::<AuditCursor>().is_err());
}

#[tokio::test]
async fn a_certificate_lies_sealed_and_is_named_in_no_audit_entry_by_its_key() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    let ledger = with_nodes(&store).await;
    let (chain, key) = Authority::new().issue(&["www.example.jp"]);
    let text = serde_json::json!({
        "fqdn": "www.example.jp", "origins": ["http://192.0.2.20"], "tls": { "chain": chain, "key": key },
        "peak": { "requests_s": 2, "mbit_s": 1, "handshakes_s": 1 },
    });
    let submission = sheet::parse(&text.to_string(), Format::Json, NOW).unwrap();
    let fqdn = submission.sheet.fqdn.clone();
    let upload = submission.upload.unwrap();
    let fingerprint = upload.certificate.fingerprint;
    let plan = ledger.plan(&[serve(&submission.sheet)], NOW);
    let error = ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::CertificateMissing(_)), "{error}");
    ledger.apply(&plan, vec![(fqdn, upload)], &operator(), NOW).await.unwrap();
    let (kept, opened) = ledger.certificate(&fingerprint).await.unwrap();
    assert_eq!((kept.as_str(), opened.expose().as_slice()), (chain.as_str(), key.as_bytes()));
    assert_eq!(open(&store).await.view().state, ledger.view().state);
    let all = store.list(&Prefix::default()).await.unwrap().entries;
    let secret = key.lines().nth(1).unwrap().as_bytes();
    assert!(all.iter().all(|entry| !entry.value.windows(secret.len()).any(|window| window == secret)));
    let error = ledger.certificate(&[0; 32]).await.unwrap_err();
    assert!(matches!(error, LedgerError::UnknownCertificate(_)), "{error}");
}

#[tokio::test]
async fn a_certificate_goes_with_the_last_site_that_uses_it() {
    let folder = Folder::new("ledger");
    let store = sqlite(&folder);
    let ledger = with_nodes(&store).await;
    let names = ["www.example.jp", "shop.example.jp"];
    let (chain, key) = Authority::new().issue(&names);
    let sheet = |name: &str, is_secure: bool| {
        let mut text = serde_json::json!({
            "fqdn": name, "origins": ["http://192.0.2.20"],
            "peak": { "requests_s": 2, "mbit_s": 1 },
        });
        if is_secure {
            text["tls"] = serde_json::json!({ "chain": chain, "key": key });
            text["peak"]["handshakes_s"] = 1.into();
        }
        sheet::parse(&text.to_string(), Format::Json, NOW).unwrap()
    };
    let serves = async |name: &str, is_secure: bool| {
        let submission = sheet(name, is_secure);
        let plan = ledger.plan(&[serve(&submission.sheet)], NOW);
        assert_eq!(plan.refusals, []);
        let uploads = submission.upload.map(|upload| (submission.sheet.fqdn.clone(), upload));
        ledger.apply(&plan, uploads.into_iter().collect(), &operator(), NOW).await.unwrap();
    };
    let fingerprint = sheet(names[0], true).upload.unwrap().certificate.fingerprint;
    for name in names {
        serves(name, true).await;
    }
    serves(names[0], false).await;
    assert!(ledger.certificate(&fingerprint).await.is_ok(), "the other one uses it");
    serves(names[1], false).await;
    let error = ledger.certificate(&fingerprint).await.unwrap_err();
    assert!(matches!(error, LedgerError::UnknownCertificate(_)), "{error}");
    serves(names[1], true).await;
    assert!(ledger.certificate(&fingerprint).await.is_ok());
}

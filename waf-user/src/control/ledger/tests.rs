//! A ledger in a real store: what is applied is there after opening it again, and others see it.

mod killed;

use super::*;
use crate::control::inventory::tests::{node, six_nodes};
use crate::control::plan::tests::{NOW, serve, sheet as site};
use crate::control::sheet::{self, Format};
use crate::control::store::{Folder, SqliteStore};
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
        assert_eq!(applied.revision, Revision(2), "{count}");
        let view = ledger.view();
        assert_valid(&view);
        assert_eq!(view.state.sites().len(), count);
        let again = open(&store).await.view();
        assert_eq!(again.state, view.state, "{count}");
        assert_eq!(again.inventory, view.inventory, "{count}");
        assert_eq!(again.policy.salt, view.policy.salt);
        let entries = ledger.audit(None, 1).await.unwrap();
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
    let error = ledger.put_nodes(vec![broken], &operator(), NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::Inventory(_)), "{error}");
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
    let entries = ledgers[0].audit(None, 2_000).await.unwrap();
    assert_eq!(entries.len(), 1_000, "one entry a change, none lost");
}

#[tokio::test]
async fn the_audit_log_says_who_and_what() {
    let folder = Folder::new("ledger");
    let ledger = with_nodes(&sqlite(&folder)).await;
    let name = Customer::new("acme").unwrap();
    let actor = Actor::Customer { customer: name, token: "ci".to_owned() };
    for requests_s in [2, 3] {
        let plan = ledger.plan(&wishes(1, requests_s), NOW);
        ledger.apply(&plan, Vec::new(), &actor, NOW).await.unwrap();
    }
    let entries = ledger.audit(None, 10).await.unwrap();
    let revisions: Vec<u64> = entries.iter().map(|entry| entry.revision.0).collect();
    assert_eq!(revisions, [3, 2, 1]);
    let newest = &entries[0];
    assert_eq!((newest.actor.as_str(), newest.changes.len()), ("customer acme (ci)", 1));
    let change = &newest.changes[0];
    assert_eq!((change.subject.as_str(), change.customer.as_deref()), ("site www0.example.jp", Some("acme")));
    let fields: Vec<&str> = change.differences.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["peak.requests_s"]);
    let before = ledger.audit(Some(Revision(3)), 1).await.unwrap();
    assert_eq!(before.first().map(|entry| entry.revision), Some(Revision(2)));
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
    let all = store.list(&Prefix::default()).await.unwrap().entries;
    let secret = key.lines().nth(1).unwrap().as_bytes();
    assert!(all.iter().all(|entry| !entry.value.windows(secret.len()).any(|window| window == secret)));
    let error = ledger.certificate(&[0; 32]).await.unwrap_err();
    assert!(matches!(error, LedgerError::UnknownCertificate(_)), "{error}");
}

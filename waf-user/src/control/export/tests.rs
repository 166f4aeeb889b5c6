//! What is exported comes back to the byte, and what is no export changes nothing.

use std::sync::Arc;

use tokio::sync::Notify;

use super::*;
use crate::control::authority::Authority;
use crate::control::inventory::tests::six_nodes;
use crate::control::ledger::{Actor, CustomerRecord, Ledger, LedgerError};
use crate::control::plan::tests::{NOW, customer, serve, sheet as site};
use crate::control::sheet::{self, Format};
use crate::control::store::{Folder, SqliteStore, Store};
use crate::control::token::{Role, TokenBook, Wanted};
use crate::model::Fqdn;
use crate::secret::{KeyRing, Secret};
use crate::tls::fixtures;

const SITES: usize = 1_000;

fn keys(byte: u8) -> Arc<KeyRing> {
    Arc::new(KeyRing::new(&Secret::new([byte; 32]), &[]).unwrap())
}

fn sqlite(folder: &Folder) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(folder.path()).unwrap())
}

async fn open(store: &Arc<dyn Store>) -> Result<Arc<Ledger>, LedgerError> {
    Ledger::open(Arc::clone(store), keys(7), Fqdn::new("edge.example.net").unwrap()).await
}

/// A control plane with everything in it: nodes, a customer, a token, an authority, and sites, of which one has a
/// certificate.
async fn full(store: &Arc<dyn Store>, sites: usize) -> Arc<Ledger> {
    let ledger = open(store).await.unwrap();
    let operator = Actor::Operator("ayumi".to_owned());
    ledger.put_nodes(six_nodes(), &operator, NOW).await.unwrap();
    let record = CustomerRecord { name: customer(), note: "山田".to_owned(), since: NOW };
    ledger.put_customer(&record, &operator, NOW).await.unwrap();
    let (chain, key) = fixtures::Authority::new().issue(&["secure.example.jp"]);
    let text = serde_json::json!({
        "fqdn": "secure.example.jp", "origins": ["http://192.0.2.20"], "tls": { "chain": chain, "key": key },
        "peak": { "requests_s": 2, "mbit_s": 1, "handshakes_s": 1 },
    });
    let submission = sheet::parse(&text.to_string(), Format::Json, NOW).unwrap();
    let upload = (submission.sheet.fqdn.clone(), submission.upload.unwrap());
    let mut wishes: Vec<_> = (1..sites).map(|at| serve(&site(&format!("www{at}.example.jp"), 2))).collect();
    wishes.push(serve(&submission.sheet));
    let plan = ledger.plan(&wishes, NOW);
    assert_eq!(plan.refusals, []);
    ledger.apply(&plan, vec![upload], &operator, NOW).await.unwrap();
    Authority::open(Arc::clone(store), &keys(7), NOW).await.unwrap();
    let wanted = Wanted { role: Role::Operator, note: "ci", expires: None };
    TokenBook::new(Arc::clone(store)).make(wanted, &[], (&operator, NOW)).await.unwrap();
    ledger
}

#[tokio::test]
async fn a_thousand_environments_come_back_to_the_byte() {
    let (here, there) = (Folder::new("export"), Folder::new("import"));
    let (from, to) = (sqlite(&here), sqlite(&there));
    let ledger = full(&from, SITES).await;
    let text = export(&*from).await.unwrap();
    assert_eq!(ledger.view().state.environments().len(), SITES);
    assert!(!text.contains("PRIVATE KEY"), "keys are sealed");
    for needed in ["authority/key", "token/", "ledger/counter", "\"sealed:", "山田"] {
        assert!(text.contains(needed), "{needed}");
    }
    let checked = check(&keys(7), &text).unwrap();
    let mut last = (0, 0);
    import(&*to, &checked, |done, all| last = (done, all)).await.unwrap();
    assert_eq!(last.0, last.1);
    assert_eq!(export(&*to).await.unwrap(), text);
    let view = open(&to).await.unwrap().view();
    assert_eq!(view.state, ledger.view().state);
    assert_eq!(view.inventory, ledger.view().inventory);
    assert_eq!(export(&*to).await.unwrap(), text, "opening it changes nothing");
    let error = import(&*to, &checked, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, ExportError::NotEmpty), "{error}");
    assert_eq!(export(&*to).await.unwrap(), text, "a refused import changes nothing");
}

#[tokio::test]
async fn an_import_that_broke_off_is_not_opened_and_begins_anew() {
    let (here, there) = (Folder::new("export"), Folder::new("import"));
    let (from, to) = (sqlite(&here), sqlite(&there));
    full(&from, 300).await;
    let text = export(&*from).await.unwrap();
    let checked = check(&keys(7), &text).unwrap();
    let begun = Notify::new();
    tokio::select! {
        biased;
        () = begun.notified() => {}
        _ = import(&*to, &checked, |_, _| begun.notify_one()) => panic!("it was to break off"),
    }
    assert!(matches!(open(&to).await, Err(LedgerError::ImportUnderWay)));
    import(&*to, &checked, |_, _| {}).await.unwrap();
    assert_eq!(export(&*to).await.unwrap(), text);
    open(&to).await.unwrap();
}

#[tokio::test]
async fn what_was_changed_by_hand_is_named() {
    let folder = Folder::new("export");
    let store = sqlite(&folder);
    full(&store, 3).await;
    let text = export(&*store).await.unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entries = parsed["entries"].as_object().unwrap();
    let first = |prefix: &str| entries.keys().find(|key| key.starts_with(prefix)).unwrap().clone();
    let changed = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut parsed = parsed.clone();
        change(parsed["entries"].as_object_mut().unwrap());
        parsed.to_string()
    };
    let (certificate, environment) = (first("certificate/"), first("ledger/environment/"));
    let cases = [
        ("cut", text[..text.len() / 2].to_owned(), "is no export"),
        ("version", text.replacen("\"waf_export\": 1", "\"waf_export\": 2", 1), "version 2"),
        ("no policy", changed(&|it| drop(it.remove("ledger/policy"))), "no ledger/policy"),
        ("no certificate", changed(&|it| drop(it.remove(&certificate))), certificate.as_str()),
        ("no environment", changed(&|it| drop(it.remove(&environment))), "cannot be"),
        ("odd key", changed(&|it| drop(it.insert("audit/1".into(), 1.into()))), "audit/1"),
        ("odd bytes", changed(&|it| it["authority/key"]["$hex"] = "zz".into()), "authority/key"),
        ("odd document", changed(&|it| it[&environment] = 3.into()), environment.as_str()),
    ];
    for (name, text, expected) in cases {
        let error = check(&keys(7), &text).err().expect(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let error = check(&keys(8), &text).err().expect("another key file").to_string();
    assert!(error.contains("key file of the control plane"), "{error}");
}

//! What control sent is found again after a restart, and nothing else is believed.

use std::os::unix::fs::PermissionsExt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use super::*;
use crate::model::sync::{TenantDocument, signed_bytes};
use crate::tls::fixtures::Authority;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waf-shelf-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn certificate() -> Certificate {
    let (chain, key) = Authority::new().issue(&["t1.example.test"]);
    let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    Certificate { fingerprint: hex::encode(&identity.fingerprint()), chain, key: KeyText::new(key) }
}

fn document(fingerprint: &str) -> NodeDocument {
    let tenant = TenantDocument {
        tenant: 1,
        fqdn: "t1.example.test".to_owned(),
        addresses: vec!["10.1.0.10".parse().unwrap()],
        http_port: 80,
        https_port: 443,
        certificate: Some(fingerprint.to_owned()),
        origins: vec!["http://192.0.2.20".to_owned()],
        mode: "block".to_owned(),
        paranoia: None,
        contract: crate::model::sync::Contract::default(),
    };
    NodeDocument { node: "a1".to_owned(), tenants: vec![tenant], ..NodeDocument::default() }
}

#[test]
fn certificates_survive_with_sealed_keys_alone() {
    let folder = Folder::new("certificates");
    let shelf = Shelf::open(&folder.0).unwrap();
    let certificate = certificate();
    let fingerprint = certificate.fingerprint.clone();
    let document = document(&fingerprint);
    assert_eq!(shelf.missing(&document), [fingerprint.as_str()]);
    let foreign = Certificate { fingerprint: "00".repeat(32), ..certificate.clone() };
    assert!(matches!(shelf.put(&foreign), Err(ShelfError::Other { .. })));
    let (_, other_key) = Authority::new().issue(&["t1.example.test"]);
    let unfit = Certificate { key: KeyText::new(other_key), ..certificate.clone() };
    assert!(matches!(shelf.put(&unfit), Err(ShelfError::Identity { .. })));
    shelf.put(&certificate).unwrap();

    let shelf = Shelf::open(&folder.0).unwrap();
    assert!(shelf.missing(&document).is_empty());
    let key = folder.0.join(format!("control/certificates/{fingerprint}.key"));
    let text = fs::read_to_string(&key).unwrap();
    assert!(text.starts_with("sealed:") && !text.contains("PRIVATE"));
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&key, text.replace(&text[60..62], if &text[60..62] == "00" { "11" } else { "00" })).unwrap();
    assert!(shelf.missing(&document).is_empty(), "what is served is not read again");
    let shelf = Shelf::open(&folder.0).unwrap();
    assert_eq!(shelf.missing(&document), [fingerprint.as_str()], "an altered key is asked for again");
    shelf.sweep(&NodeDocument::default());
    assert!(!key.exists());
    assert!(matches!(shelf.identity("../../shadow"), Err(ShelfError::Fingerprint(_))));
}

fn reply(authority: &Authority) -> (JoinReply, KeyText) {
    let (certificate, key) = authority.issue(&["a1"]);
    let (authority, fleet_key) = (authority.pem().to_owned(), "ab".repeat(32));
    (JoinReply { certificate, authority, fleet_key, ends_ms: 0 }, KeyText::new(key))
}

#[test]
fn a_membership_is_whole_or_not_there() {
    let folder = Folder::new("membership");
    assert!(Shelf::look(&folder.0).unwrap().is_none());
    let shelf = Shelf::open(&folder.0).unwrap();
    assert!(matches!(shelf.membership(), Err(ShelfError::NotJoined)));
    let authority = Authority::new();
    let (answer, key) = reply(&authority);
    let (_, other_key) = reply(&authority);
    assert!(matches!(shelf.join(&answer, &other_key), Err(ShelfError::Own { .. })), "they do not fit");
    assert!(matches!(shelf.membership(), Err(ShelfError::NotJoined)), "nothing of it is kept");
    shelf.join(&answer, &key).unwrap();
    let first = Shelf::look(&folder.0).unwrap().unwrap().membership().unwrap().identity.fingerprint();

    // A renewal that was cut off leaves the one before.
    fs::write(folder.0.join("control/node.pem.new"), "-----BEGIN").unwrap();
    assert_eq!(shelf.membership().unwrap().identity.fingerprint(), first);
    let (next, next_key) = reply(&authority);
    shelf.renew(&next.certificate, &next_key).unwrap();
    assert_ne!(shelf.membership().unwrap().identity.fingerprint(), first);
    let path = folder.0.join("control/node.pem");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    assert!(matches!(shelf.membership(), Err(ShelfError::Open(_))));
    assert_eq!(shelf.fleet_key().unwrap(), answer.fleet_key, "documents are believed all the same");
}

#[test]
fn a_node_stays_with_its_fleet() {
    let folder = Folder::new("fleet");
    let shelf = Shelf::open(&folder.0).unwrap();
    let authority = Authority::new();
    let digits = |authority: &Authority| {
        let (_, pem) = parse_x509_pem(authority.pem().as_bytes()).unwrap();
        signing::digits(digest(&SHA256, &pem.contents).as_ref())
    };
    let (own, other) = (digits(&authority), digits(&Authority::new()));
    shelf.check_fleet(&other).unwrap();
    let (answer, key) = reply(&authority);
    shelf.join(&answer, &key).unwrap();
    shelf.check_fleet(&own).unwrap();
    assert!(matches!(shelf.check_fleet(&other), Err(ShelfError::OtherFleet(_))));
}

#[test]
fn a_document_is_good_with_all_of_its_certificates() {
    let folder = Folder::new("whole");
    let shelf = Shelf::open(&folder.0).unwrap();
    let pair = Ed25519KeyPair::generate().unwrap();
    let fleet_key = signing::digits(pair.public_key().as_ref());
    let certificate = certificate();
    let text = document(&certificate.fingerprint).to_text();
    let signature = signing::digits(pair.sign(&signed_bytes("a1", 7, &signing::hash_of(&text))).as_ref());
    let signed = Signed::check(&fleet_key, "a1", (7, text, signature)).unwrap();
    assert_eq!(shelf.last_good(&fleet_key, "a1").unwrap(), None);
    shelf.put(&certificate).unwrap();
    shelf.keep(&signed).unwrap();
    assert_eq!(shelf.last_good(&fleet_key, "a1").unwrap(), Some(signed));
    let chain = folder.0.join(format!("control/certificates/{}.pem", certificate.fingerprint));
    fs::remove_file(chain).unwrap();
    let error = Shelf::open(&folder.0).unwrap().last_good(&fleet_key, "a1").unwrap_err();
    assert!(error.is_damage() && error.to_string().contains(&certificate.fingerprint), "{error}");
}

#[test]
fn a_document_is_believed_by_its_signature_alone() {
    let folder = Folder::new("document");
    let shelf = Shelf::open(&folder.0).unwrap();
    let pair = Ed25519KeyPair::generate().unwrap();
    let fleet_key = signing::digits(pair.public_key().as_ref());
    let text = document(&"ab".repeat(32)).to_text();
    let signature = signing::digits(pair.sign(&signed_bytes("a1", 7, &signing::hash_of(&text))).as_ref());
    assert_eq!(shelf.document(&fleet_key, "a1").unwrap(), None);
    let signed = Signed::check(&fleet_key, "a1", (7, text.clone(), signature.clone())).unwrap();
    shelf.keep(&signed).unwrap();
    assert_eq!(Shelf::open(&folder.0).unwrap().document(&fleet_key, "a1").unwrap(), Some(signed));
    let rows = [
        ("generation", (8, text.clone(), signature.clone())),
        ("text", (7, text.replace("block", "off"), signature.clone())),
        ("signature", (7, text.clone(), "00".repeat(64))),
    ];
    for (name, parts) in rows {
        let checked = Signed::check(&fleet_key, "a1", parts);
        assert!(matches!(checked, Err(ShelfError::Signature { .. })), "{name}");
    }
    assert!(shelf.document(&fleet_key, "a2").is_err(), "another node's");
    let path = folder.0.join("control/document.json");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("10.1.0.10", "10.1.0.11")).unwrap();
    assert!(matches!(shelf.document(&fleet_key, "a1"), Err(ShelfError::Signature { generation: 7 })));
}

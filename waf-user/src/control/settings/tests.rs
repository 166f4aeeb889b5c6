//! What of a control.toml is read, and what is wrong with others.

use std::path::{Path, PathBuf};

use super::{ApiIdentity, ControlSettings, EtcdPlace, StoreSettings};
use crate::event::printable;

const LEAST: &str = "data_dir = \"data\"\nzone = \"edge.example\"\n[api]\nlisten = \"127.0.0.1:8443\"\n";

fn parse(text: &str) -> Result<ControlSettings, String> {
    ControlSettings::parse(text, Path::new("/etc/waf/control.toml")).map_err(|error| error.to_string())
}

#[test]
fn the_least_that_is_to_be_said() {
    let settings = parse(LEAST).unwrap();
    assert_eq!(settings.data_dir, PathBuf::from("/etc/waf/data"));
    assert_eq!(settings.zone.as_str(), "edge.example");
    assert_eq!(settings.api.listen, "127.0.0.1:8443".parse().unwrap());
    assert_eq!(settings.api.identity, ApiIdentity::Own { names: Vec::new() });
    assert_eq!((settings.sync, settings.key_file), (None, None));
    assert_eq!(settings.store, StoreSettings::Sqlite);
}

#[test]
fn everything() {
    let text = "data_dir = \"/var/lib/waf\"\nzone = \"edge.example\"\nkey_file = \"keys\"\n\
        [api]\nlisten = \"[::]:8443\"\ncertificate = \"api.pem\"\nkey = \"/run/api.key\"\n\
        [sync]\nlisten = \"0.0.0.0:8444\"\n\
        [store]\netcd = [\"https://e1.example:2379\"]\nroot = \"fleet/\"\nauthority = \"etcd.pem\"\n\
        certificate = \"c.pem\"\nkey = \"c.key\"\nuser = \"waf\"\npassword_file = \"password\"\n";
    let settings = parse(text).unwrap();
    let here = |name: &str| Path::new("/etc/waf").join(name);
    assert_eq!(settings.data_dir, PathBuf::from("/var/lib/waf"));
    assert_eq!(settings.key_file, Some(here("keys")));
    let files = ApiIdentity::Files { certificate: here("api.pem"), key: "/run/api.key".into() };
    assert_eq!(settings.api.identity, files);
    assert_eq!(settings.sync, Some("0.0.0.0:8444".parse().unwrap()));
    let place = EtcdPlace {
        members: vec!["https://e1.example:2379".to_owned()],
        root: "fleet/".to_owned(),
        authority: Some(here("etcd.pem")),
        identity: Some((here("c.pem"), here("c.key"))),
        user: Some(("waf".to_owned(), here("password"))),
    };
    assert_eq!(settings.store, StoreSettings::Etcd(place));
}

#[test]
fn the_readmes_example_is_one() {
    let readme = include_str!("../../../../README.md");
    let (_, rest) = readme.split_once("```toml\n# control.toml; paths are relative to its folder\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let settings = parse(text).unwrap();
    assert_eq!(settings.sync, Some("0.0.0.0:8444".parse().unwrap()));
    assert_eq!(settings.store, StoreSettings::Sqlite);
    // And with what it only suggests.
    let settings = parse(&text.replace("\n# ", "\n")).unwrap();
    assert!(matches!(settings.api.identity, ApiIdentity::Files { .. }));
    let StoreSettings::Etcd(place) = settings.store else { panic!("{:?}", settings.store) };
    assert_eq!(place.members, ["https://etcd-1:2379"]);
}

#[test]
fn mistakes_name_the_file_and_the_cure() {
    let table = [
        ("", "missing field"),
        ("zone = 1", "invalid type"),
        ("port = 1", "unknown field `port`"),
        (&LEAST.replace("edge.example", "edge..example"), "zone \"edge..example\" is no name of a domain"),
        (&LEAST.replace("127.0.0.1:8443", "127.0.0.1"), "invalid socket address"),
        (&format!("{LEAST}names = [\"a b\"]"), "[api] names holds \"a b\""),
        (&format!("{LEAST}key = \"k\""), "[api] key without [api] certificate: set both, or neither"),
        (&format!("{LEAST}certificate = \"c\""), "[api] certificate without [api] key"),
        (&format!("{LEAST}[store]\netcd = []"), "is an empty list"),
        (&format!("{LEAST}[store]\nroot = \"a/\""), "[store] root is for etcd only"),
        (&format!("{LEAST}[store]\nuser = \"a\""), "[store] user is for etcd only"),
        (&format!("{LEAST}[store]\netcd = [\"a\"]\nuser = \"a\""), "without [store] password_file"),
        (&format!("{LEAST}[store]\netcd = [\"a\"]\nkey = \"a\""), "[store] key without [store] certificate"),
        (&format!("{LEAST}[sync]\n"), "missing field `listen`"),
    ];
    for (text, expected) in table {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with("/etc/waf/control.toml: "), "{error}");
        assert!(error.contains(expected), "{}: {}", printable(text), error);
    }
    for names in ["control.example", "192.0.2.7", "2001:db8::7"] {
        assert!(parse(&format!("{LEAST}names = [\"{names}\"]")).is_ok(), "{names}");
    }
}

//! Sites out of configurations and files.

use std::path::Path;

use super::*;
use crate::node::tests::{parse, tenant};

/// A folder with a rule file; removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waf-snapshot-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("a.conf"), "").unwrap();
        std::fs::write(path.join("b.conf"), "SecAction \"id:1,phase:1,pass\"\n").unwrap();
        Self(path)
    }

    fn rules(&self, files: &[&str]) -> String {
        let list: Vec<String> = files.iter().map(|file| format!("{:?}", self.0.join(file))).collect();
        format!("rules = [{}]", list.join(", "))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn built(tenants: &str) -> Result<Built, SnapshotError> {
    let (settings, config) = parse(&format!("[node]\nname = \"a\"\ncarrier = \"c\"\n{tenants}"));
    build(&settings, &config, Generation(3), &Lasting::default())
}

#[test]
fn tenants_with_the_same_files_share_their_rules() {
    let folder = Folder::new("share");
    let tenants = [
        tenant(1, "10.0.0.1", &folder.rules(&["a.conf", "b.conf"])),
        tenant(2, "10.0.0.1", &folder.rules(&["a.conf", "b.conf"])),
        tenant(3, "10.0.0.1", &folder.rules(&["b.conf", "a.conf"])),
    ];
    let built = built(&tenants.concat()).unwrap();
    let sites: Vec<&Arc<Site>> = built.snapshot.sites.iter().collect();
    assert!(Arc::ptr_eq(&sites[0].rules, &sites[1].rules));
    assert!(!Arc::ptr_eq(&sites[0].rules, &sites[2].rules), "the order of files matters");
    assert_eq!(built.snapshot.generation, Generation(3));
    assert!(built.snapshot.tls.is_none());
    assert_eq!(sites[0].https_port, None, "no certificate, no TLS");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new("named");
    let missing = folder.0.join("none.pem");
    let not_pem = folder.0.join("a.conf");
    let pair = |certificate: &Path| format!("certificate = {certificate:?}\nkey = {not_pem:?}");
    let table = [("missing", pair(&missing), "read"), ("no PEM", pair(&not_pem), "use certificate")];
    for (name, keys, expected) in table {
        let error =
            built(&tenant(1, "10.0.0.1", &keys)).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with(expected) && error.contains("t1.example.test"), "{name}: {error}");
    }
}

//! node.toml through the binary: every mistake at once, and the contract's example as the README prints it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const README: &str = include_str!("../../README.md");

/// The binary, where the tests are told of it.
pub fn waf(arguments: &[&str]) -> Option<Output> {
    let Some(waf) = std::env::var_os("WAF_BIN") else {
        println!("skipped: no WAF_BIN");
        return None;
    };
    Some(Command::new(waf).args(arguments).output().expect("run waf"))
}

/// A folder of the test's own, gone with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("waf-test-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        Self(folder)
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("file");
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is swept with the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Line, and a word that its message must have.
const MISTAKES: [(usize, &str); 10] = [
    (2, "A1 upper"),
    (4, "xdp_mode"),
    (5, "wokers"),
    (6, "service_prefixes"),
    (9, "ratio"),
    (11, "id"),
    (12, "fqdn"),
    (13, "addresses"),
    (15, "origins"),
    (16, "paranoia_level"),
];

const TEN_MISTAKES: &str = r#"[node]
name = "A1 upper"
carrier = "carrier-a"
xdp_mode = "fast"
wokers = 2
service_prefixes = ["10.1.0.0/33"]

[ban]
ratio = 1.5
[[tenant]]
id = 0
fqdn = "not a name"
addresses = ["10.1.0.300"]
http_port = 80
origins = ["ftp://10.9.0.2"]
paranoia_level = 9
"#;

#[test]
fn ten_mistakes_are_ten_messages_with_place_and_caret() {
    let folder = Folder::new("mistakes");
    let path = folder.write("node.toml", TEN_MISTAKES);
    for arguments in [&["node", "--check", "--config", &path][..], &["node", "--config", &path]] {
        let Some(output) = waf(arguments) else { return };
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for (line, word) in MISTAKES {
            let place = format!("node.toml:{line}:");
            let found =
                said.split(&place).nth(1).unwrap_or_else(|| panic!("nothing at line {line}:\n{said}"));
            let message = found.split("node.toml:").next().unwrap_or(found);
            assert!(message.contains(word), "line {line} does not say {word}:\n{said}");
            assert!(message.contains('^'), "line {line} has no caret:\n{said}");
        }
        assert_eq!(said.matches("node.toml:").count(), MISTAKES.len(), "{said}");
    }
}

/// The README's examples, with the files that they name beside them and the machine's parts left out: a node by itself, and
/// one of a fleet.
#[test]
fn the_examples_of_the_readme_are_accepted() {
    let folder = Folder::new("example");
    let mut blocks = README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole = blocks.next().expect("the example of a node");
    let of_a_fleet = blocks.find(|block| block.starts_with("[control]")).expect("the example of [control]");
    let (local, _tenants) = whole.split_once("[[tenant]]").expect("tenants of the example");
    let own = ["interface", "kernel_object"];
    fs::create_dir_all(folder.0.join("rules")).expect("folder of rules");
    folder.write("rules/own.conf", "SecRule ARGS \"@rx x\" \"id:1,phase:2,deny\"\n");
    let request =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=www.example.test", "-days", "2"];
    let files = ["-keyout", "site.key", "-out", "site.pem"];
    let made = Command::new("openssl").args(request).args(files).current_dir(&folder.0).output();
    assert!(made.expect("run openssl").status.success());
    for text in [whole.to_owned(), format!("{local}{of_a_fleet}")] {
        let lines = text.lines().filter(|line| !own.iter().any(|key| line.starts_with(key)));
        let path = folder.write("node.toml", &lines.collect::<Vec<_>>().join("\n"));
        let Some(output) = waf(&["node", "--check", "--config", &path]) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

//! The control plane through the binary alone: `waf control` on loopback, and the commands that people type.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::config::Folder;

/// Names that stand in no sentence by chance: what no customer may be told.
const CARRIERS: [&str; 2] = ["quokkamoor", "zwiebelfjord"];
const REGIONS: [&str; 2] = ["pangolinburg", "axolotlia"];
const NODES: [&str; 2] = ["xylophis-q1", "vexillum-z1"];
/// Requests under way are given 10 s, and there are none.
const END_WITHIN: Duration = Duration::from_secs(8);

/// A control process, and who asks it.
struct Control {
    waf: PathBuf,
    folder: PathBuf,
    child: Child,
    url: String,
    _swept: Folder,
}

impl Control {
    /// None: the tests are not told of the binary.
    fn start(name: &str) -> Option<Self> {
        let Some(waf) = std::env::var_os("WAF_BIN").map(PathBuf::from) else {
            println!("skipped: no WAF_BIN");
            return None;
        };
        let swept = Folder::new(name);
        let toml = "data_dir = \"data\"\nzone = \"edge.example.net\"\n[api]\nlisten = \"127.0.0.1:0\"\n";
        let config = PathBuf::from(swept.write("control.toml", toml));
        let folder = config.parent().expect("a folder").to_owned();
        let (child, url) = run(&waf, &config);
        Some(Self { waf, folder, child, url, _swept: swept })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("file");
        path.to_string_lossy().into_owned()
    }

    fn ask(&self, token: &Path, arguments: &[&str]) -> Output {
        Command::new(&self.waf)
            .args(arguments)
            .env("WAF_CONTROL", &self.url)
            .env("WAF_CA_FILE", self.path("data/authority.pem"))
            .env("WAF_TOKEN_FILE", token)
            .stdin(Stdio::null())
            .output()
            .expect("run waf")
    }

    /// As the first operator; what was printed.
    #[track_caller]
    fn operate(&self, arguments: &[&str]) -> String {
        let output = self.ask(&self.path("data/operator.token"), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Two nodes at two carriers, and a customer's token.
    fn with_fleet(&self) -> PathBuf {
        let node = |at: usize| {
            format!(
                "[[node]]\nname = \"{}\"\ncarrier = \"{}\"\nregion = \"{}\"\n\
                 capacity = {{ requests_s = 10000, mbit_s = 1000, handshakes_s = 1000 }}\n\
                 ipv4 = [\"10.{at}.0.0/24\"]\nipv6 = \"2001:db8:{at}::/96\"\nsources = [\"198.51.100.{at}\"]\n",
                NODES[at], CARRIERS[at], REGIONS[at]
            )
        };
        let inventory = self.write("inventory.toml", &(node(0) + &node(1)));
        self.operate(&["fleet", "apply", &inventory, "--yes"]);
        self.operate(&["customer", "put", "acme", "--note", "of the tests"]);
        let token = self.operate(&["token", "new", "--customer", "acme", "--note", "web team"]);
        let path = self.path("acme.token");
        let mut file = File::options();
        let mut file = file.write(true).create_new(true).mode(0o600).open(&path).expect("file");
        std::io::Write::write_all(&mut file, token.as_bytes()).expect("written");
        path
    }

    fn stop(mut self) -> ExitStatus {
        stop(&mut self.child)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Where a test failed before it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs until it says where it is ready.
fn run(waf: &Path, config: &Path) -> (Child, String) {
    let mut child = Command::new(waf)
        .args(["control", "--config"])
        .arg(config)
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .spawn()
        .expect("run waf control");
    let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
    let mut said = Vec::new();
    for line in lines.by_ref() {
        let line = line.expect("UTF-8");
        let address = line.split_once("control is ready api=\"").and_then(|(_, rest)| rest.split('"').next());
        if let Some(address) = address {
            let url = format!("https://{address}");
            // Whatever it says from now on has to go somewhere.
            std::thread::spawn(move || lines.for_each(drop));
            return (child, url);
        }
        said.push(line);
    }
    panic!("waf control ended: {said:?} {:?}", child.wait());
}

fn stop(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("told to end");
    let status = child.wait().expect("ended");
    assert!(begun.elapsed() < END_WITHIN, "{:?}", begun.elapsed());
    status
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn sheet(fqdn: &str, requests_s: u32) -> String {
    format!(
        "fqdn = \"{fqdn}\"\norigins = [\"http://203.0.113.9\"]\npeak = {{ requests_s = {requests_s}, mbit_s = 1 }}\n"
    )
}

#[test]
fn contract_3_no_command_tells_a_customer_of_a_node_a_carrier_or_a_region() {
    let Some(control) = Control::start("control-hidden") else { return };
    let token = control.with_fleet();
    let mut heard = Vec::new();
    let mut say = |arguments: &[&str], expected: &str| {
        let output = control.ask(&token, arguments);
        let text = text(&output);
        assert!(text.contains(expected), "{arguments:?} does not say {expected:?}: {text}");
        heard.push((arguments.join(" "), text));
    };
    let small = control.write("small.toml", &sheet("www.acme.jp", 100));
    let more = control.write("more.toml", &sheet("www.acme.jp", 300));
    let huge = control.write("huge.toml", &sheet("huge.acme.jp", 100_000));
    let wrong = control.write("wrong.toml", "fqdn = 1\n");
    say(&["site", "plan", &small], "CNAME: ");
    say(&["site", "plan", &small, "--language", "ja"], "の保護を開始します");
    say(&["site", "plan", &small, "--json"], "\"outcome\": \"opened\"");
    say(&["site", "apply", &small], "say --yes");
    say(&["site", "apply", &small, "--yes"], "applied: revision ");
    say(&["site", "apply", &more, "--yes"], "the CNAME and the addresses stay");
    say(&["site", "apply", &huge, "--yes"], "cannot be met");
    say(&["site", "plan", &wrong], "fqdn");
    say(&["site", "list"], "www.acme.jp");
    say(&["site", "list", "--json"], "\"fqdn\": \"www.acme.jp\"");
    say(&["site", "show", "www.acme.jp"], "reach the origin from");
    say(&["site", "show", "www.acme.jp", "--json"], "\"environments\": null");
    say(&["site", "show", "www.acme.jp", "--notice", "en"], "CNAME: ");
    say(&["site", "show", "www.acme.jp", "--notice", "ja"], "オリジンへの接続元アドレス");
    say(&["site", "show", "www.other.jp"], "there is no site");
    control.operate(&["site", "move", "www.acme.jp", "--yes"]);
    say(&["site", "show", "www.acme.jp"], "old CNAME");
    say(&["site", "rollback", "www.acme.jp", "--yes"], "applied: revision ");
    control.operate(&["site", "close", "www.acme.jp", "--yes"]);
    for operators in [
        &["site", "move", "www.acme.jp"][..],
        &["fleet", "list"],
        &["fleet", "drain", NODES[0]],
        &["fleet", "token", "nothing"],
        &["fleet", "evacuate"],
        &["customer", "list"],
        &["token", "list"],
        &["audit"],
        &["export"],
    ] {
        say(operators, "this is for operators only (403)");
    }
    say(&["ban", "add", "192.0.2.7", "--control", &control.url], "operators only");
    say(&["ban", "add", "192.0.2.7", "--site", "www.acme.jp", "--control", &control.url], "banned");
    say(&["ban", "list", "--control", &control.url], "192.0.2.7");
    say(&["ban", "remove", "192.0.2.7", "--site", "www.acme.jp", "--control", &control.url], "lifted");
    say(&["site", "remove", "www.acme.jp", "--yes"], "no longer served here");
    for (at, text) in &heard {
        // Its own words, which it typed.
        let text = text.replace(NODES[0], "");
        for word in CARRIERS.iter().chain(&REGIONS).chain(&NODES) {
            assert!(!text.contains(word), "waf {at} tells of {word}: {text}");
        }
    }
    let fleet = control.operate(&["fleet", "list"]);
    for word in CARRIERS.iter().chain(&REGIONS).chain(&NODES) {
        assert!(fleet.contains(word), "an operator is told of {word}: {fleet}");
    }
    assert!(control.stop().success());
}

#[test]
fn contract_5_a_change_is_shown_first_and_made_when_it_is_agreed_to() {
    let Some(control) = Control::start("control-shown") else { return };
    control.with_fleet();
    let small = control.write("small.toml", &sheet("www.acme.jp", 100));
    let more = control.write("more.toml", &sheet("www.acme.jp", 300));
    control.operate(&["site", "apply", &small, "--customer", "acme", "--yes"]);
    let before = control.operate(&["site", "show", "www.acme.jp", "--json"]);
    let plan = control.operate(&["site", "plan", &more, "--customer", "acme"]);
    for expected in ["in place", "peak from 100 to 300 requests/s", "300 of 10,000 requests/s reserved"] {
        assert!(plan.contains(expected), "{expected}: {plan}");
    }
    let operator = control.path("data/operator.token");
    let output = control.ask(&operator, &["site", "apply", &more, "--customer", "acme"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("peak from 100 to 300"), "shown: {}", text(&output));
    assert_eq!(control.operate(&["site", "show", "www.acme.jp", "--json"]), before, "nothing was changed");
    control.operate(&["site", "apply", &more, "--customer", "acme", "--yes"]);
    let audit = control.operate(&["audit", "--limit", "1"]);
    for expected in
        ["site www.acme.jp: in place", "because peak from 100 to 300", "peak.requests_s: 100 -> 300"]
    {
        assert!(audit.contains(expected), "{expected}: {audit}");
    }
    assert!(control.stop().success());
}

#[test]
fn an_export_becomes_the_same_control_plane_elsewhere() {
    let Some(control) = Control::start("control-elsewhere") else { return };
    control.with_fleet();
    for at in 0..20 {
        let path = control.write("sheet.toml", &sheet(&format!("s{at}.acme.jp"), 10));
        control.operate(&["site", "apply", &path, "--customer", "acme", "--yes"]);
    }
    let (one, two) = (control.path("one.export"), control.path("two.export"));
    let as_text = |path: &Path| path.to_string_lossy().into_owned();
    control.operate(&["export", "--out", &as_text(&one)]);
    let sites = control.operate(&["site", "list"]);
    let toml = "data_dir = \"other\"\nzone = \"edge.example.net\"\n[api]\nlisten = \"127.0.0.1:0\"\n";
    let config = control.write("other.toml", toml);
    fs::create_dir(control.path("other")).expect("folder");
    for file in ["secret.keys", "operator.token"] {
        fs::copy(control.path("data").join(file), control.path("other").join(file)).expect("copied");
    }
    let imported = control.operate(&["import", &as_text(&one), "--config", &config]);
    assert_eq!(imported, "imported as of revision 22: 20 sites, 20 environments, 2 nodes\n");
    let (mut child, url) = run(&control.waf, Path::new(&config));
    let ask = |arguments: &[&str]| {
        let output = Command::new(&control.waf)
            .args(arguments)
            .args(["--control", &url])
            .arg("--ca")
            .arg(control.path("other/authority.pem"))
            .arg("--token-file")
            .arg(control.path("other/operator.token"))
            .output()
            .expect("run waf");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert_eq!(ask(&["site", "list"]), sites);
    ask(&["export", "--out", &as_text(&two)]);
    assert_eq!(fs::read(one).expect("read"), fs::read(two).expect("read"), "to the byte");
    assert!(stop(&mut child).success());
    assert!(control.stop().success());
}

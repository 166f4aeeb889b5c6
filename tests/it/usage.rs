//! Capacity and contract from the inventory and a sheet, over control, to a node that holds them; and what was used, from
//! the node over control to whoever may see it. Real processes on loopback addresses, without the kernel half.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use waf_tests::load::Connection;

use crate::node::plain::{Folder, origin};

const SITE: &str = "www.example.jp";
/// Nodes of a dev build compile the Core Rule Set on a busy machine.
const SOON: Duration = Duration::from_secs(90);
/// The contract is half of it, and visitors ask for as much as they can.
const CAPACITY_S: u64 = 40;
const VISITORS: usize = 4;

/// Ended on drop.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Plane {
    waf: PathBuf,
    folder: Folder,
    api: SocketAddr,
    sync: SocketAddr,
}

impl Plane {
    fn new(waf: PathBuf) -> Self {
        let free = || std::net::TcpListener::bind("127.92.0.1:0").and_then(|free| free.local_addr());
        let (api, sync) = (free().expect("a port"), free().expect("a port"));
        Self { waf, folder: Folder::new("usage"), api, sync }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    fn start(&self, words: &[&str], config: &Path) -> Process {
        let mut command = Command::new(&self.waf);
        command.args(words).arg("--config").arg(config).stdin(Stdio::null());
        Process(command.spawn().expect("start waf"))
    }

    /// A command with this token's file; its output where it does well.
    fn try_waf(&self, token: &str, words: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.waf)
            .args(words)
            .env("WAF_CONTROL", format!("https://{}", self.api))
            .env("WAF_CA_FILE", self.path("data/authority.pem"))
            .env("WAF_TOKEN_FILE", self.path(token))
            .stdin(Stdio::null())
            .output()
            .expect("start waf");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(text) } else { Err(format!("{words:?}: {text}{said}")) }
    }

    fn waf(&self, words: &[&str]) -> String {
        self.try_waf("data/operator.token", words).unwrap_or_else(|error| panic!("{error}"))
    }

    fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["--json"]].concat();
        serde_json::from_str(&self.waf(&words)).expect("JSON")
    }

    fn control(&self) -> Process {
        let text = format!(
            "data_dir = {:?}\nzone = \"edge.example\"\n[api]\nlisten = \"{}\"\nnames = [\"{}\"]\n[sync]\nlisten = \"{}\"\n",
            self.path("data"),
            self.api,
            self.api.ip(),
            self.sync
        );
        let process = self.start(&["control"], &self.write("control.toml", &text));
        until("control answers", || self.try_waf("data/operator.token", &["fleet", "list"]).is_ok());
        process
    }

    /// Joins; what is served needs a second start where no kernel half hands connections over.
    fn join(&self, name: &str) -> PathBuf {
        let text = format!(
            "[node]\nname = \"{name}\"\ncarrier = \"carrier-{name}\"\nstate_dir = \"state\"\nworkers = 1\n\
             origin_networks = [\"127.0.0.0/8\"]\n[control]\nurl = \"https://{}\"\n",
            self.sync
        );
        let config = self.write(&format!("{name}/node.toml"), &text);
        let token = self.json(&["fleet", "token", name]);
        let url = format!("https://{}", self.sync);
        let path = config.to_str().expect("a path");
        let token = token["token"].as_str().expect("a token");
        self.waf(&["node-join", "--config", path, "--control", &url, "--token", token]);
        config
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {} s", SOON.as_secs());
        thread::sleep(Duration::from_millis(50));
    }
}

fn node(name: &str, third: u8) -> String {
    format!(
        "[[node]]\nname = \"{name}\"\ncarrier = \"carrier-{name}\"\nregion = \"tokyo\"\n\
         capacity = {{ requests_s = {CAPACITY_S}, mbit_s = 1000, handshakes_s = 10 }}\n\
         ipv4 = [\"127.92.{third}.0/29\"]\nsources = [\"127.93.{third}.1\"]\n"
    )
}

/// Asks for as much as is answered until told to stop.
fn flood(service: SocketAddr, stop: &Arc<AtomicBool>) -> Vec<thread::JoinHandle<()>> {
    let visit = move |stop: Arc<AtomicBool>| {
        let mut kept = None;
        while !stop.load(Relaxed) {
            let asked = kept.take().map_or_else(|| Connection::open(service), Ok);
            let answered = asked.and_then(|mut it: Connection| Ok((it.ask(SITE, "/")?, it)));
            kept = answered.ok().filter(|(answer, _)| !answer.closes).map(|(_, connection)| connection);
            // Some hundreds a second: the machine is there for the node, too.
            thread::sleep(Duration::from_millis(10));
        }
    };
    (0..VISITORS)
        .map(|_| {
            let stop = Arc::clone(stop);
            thread::spawn(move || visit(stop))
        })
        .collect()
}

#[test]
fn contract_what_was_agreed_reaches_the_node_and_what_is_used_comes_back() {
    let Some(waf) = std::env::var_os("WAF_BIN").map(PathBuf::from) else {
        println!("skipped: no WAF_BIN");
        return;
    };
    if !nix::unistd::Uid::effective().is_root() {
        println!("skipped: no root for port 80");
        return;
    }
    let plane = Plane::new(waf);
    let _control = plane.control();
    let inventory = plane.write("inventory.toml", &(node("a", 1) + &node("b", 2)));
    plane.waf(&["fleet", "apply", inventory.to_str().expect("a path"), "--yes"]);
    plane.waf(&["customer", "put", "acme"]);
    let token = plane.json(&["token", "new", "--customer", "acme", "--note", "of the test"]);
    let customer = plane.write("customer.token", token["token"].as_str().expect("a token"));
    fs::set_permissions(customer, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let sheet = format!(
        "fqdn = \"{SITE}\"\norigins = [\"http://{}\"]\ntls = \"none\"\npeak = {{ requests_s = {}, mbit_s = 10 }}\n",
        origin(),
        CAPACITY_S / 2
    );
    let sheet = plane.write("sheet.toml", &sheet);
    plane.waf(&["site", "apply", sheet.to_str().expect("a path"), "--customer", "acme", "--yes"]);
    let site = plane.json(&["site", "show", SITE]);
    let addresses = site["site"]["addresses"].as_array().expect("addresses");
    let first = addresses.first().and_then(Value::as_str).expect("an address");
    let service = SocketAddr::new(first.parse().expect("an address"), 80);

    let config = plane.join("a");
    let first_life = plane.start(&["node"], &config);
    let document = plane.path("a/state/control/document.json");
    until("the document is on disk", || fs::read_to_string(&document).is_ok_and(|text| text.contains(SITE)));
    drop(first_life);
    let _node = plane.start(&["node"], &config);
    until("the node serves", || Connection::open(service).is_ok());

    let stop = Arc::new(AtomicBool::new(false));
    let visitors = flood(service, &stop);
    let usage = || plane.json(&["site", "usage", SITE])["sites"][0].clone();
    let rate = |value: &Value, name: &str| value["used"][name].as_f64().unwrap_or(0.0);
    until("the excess is limited, and told of", || rate(&usage(), "limited_s") > 0.0);
    // Two whole intervals later the means of both ends have settled.
    let settled = Instant::now() + Duration::from_secs(12);
    let mut seen = usage();
    until("figures settle", || {
        seen = usage();
        Instant::now() > settled
    });
    stop.store(true, Relaxed);
    visitors.into_iter().for_each(|visitor| visitor.join().expect("a visitor ends well"));
    let passed = rate(&seen, "requests_s") - rate(&seen, "limited_s");
    println!("{seen:#}");
    assert!(
        (passed - CAPACITY_S as f64).abs() <= CAPACITY_S as f64 / 10.0,
        "{passed} of {CAPACITY_S} a second"
    );
    let carried = seen["placements"].as_array().expect("placements");
    assert!(carried.iter().all(|it| it["heard"] == (it["node"] == "a")), "{carried:?}");
    let own = plane.try_waf("customer.token", &["site", "usage"]).expect("a customer's own figures");
    assert!(own.contains(SITE) && !own.contains("carrier") && own.lines().count() == 3, "{own}");
}

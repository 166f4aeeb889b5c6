//! A node without the kernel half and an origin behind it, on addresses of this machine alone: node.toml in, answers and
//! request log out.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use waf_user::node::control::{Reply, Request};
use waf_user::node::control_sock;

const READY: Duration = Duration::from_secs(20);
const PACKAGE: &str = "/usr/share/modsecurity-crs/owasp-crs.load";

/// An answer of the origin as databases give it away.
pub const LEAK: &str =
    "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version";

/// Every node has an address of its own: tests run beside one another.
static NODES: AtomicU8 = AtomicU8::new(1);

/// A running node; ended, and its folder gone, with it.
pub struct Node {
    waf: PathBuf,
    folder: PathBuf,
    service: SocketAddr,
    origin: SocketAddr,
    process: Child,
}

/// Whether the Core Rule Set is here; a printed line where it is not.
pub fn has_core_rule_set() -> bool {
    let is_here = Path::new(PACKAGE).is_file();
    if !is_here {
        println!("skipped: the package modsecurity-crs is not installed");
    }
    is_here
}

/// Runs a test on a node. `tenants`: the lines of each tenant after its addresses; tenant 1 is the default one.
pub fn with_node(files: &[(&str, &str)], tenants: &[&str], test: impl FnOnce(&mut Node)) {
    let Some(waf) = std::env::var_os("WAF_BIN").map(PathBuf::from) else {
        println!("skipped: no WAF_BIN");
        return;
    };
    test(&mut Node::start(waf, files, tenants));
}

impl Node {
    fn start(waf: PathBuf, files: &[(&str, &str)], tenants: &[&str]) -> Self {
        let number = NODES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("waf-test-rules-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("file");
        }
        let service = format!("127.88.1.{number}:0");
        // A port that was free a moment ago; nobody else binds this address.
        let service = TcpListener::bind(service).and_then(|free| free.local_addr()).expect("a port");
        let origin = origin();
        let config = configure(&folder, service, origin, tenants);
        let mut command = Command::new(&waf);
        command.args(["node", "--config"]).arg(&config).stdin(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("start waf");
        let node = Self { waf, folder, service, origin, process };
        let deadline = Instant::now() + READY;
        while !matches!(node.control(&Request::Status {}), Some(Reply::Status(_))) {
            assert!(Instant::now() < deadline, "the node does not come to serve");
            thread::sleep(Duration::from_millis(10));
        }
        node
    }

    /// Writes a file beside node.toml.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("file");
    }

    /// Serves other tenants from now on.
    pub fn reload(&self, tenants: &[&str]) -> Reply {
        configure(&self.folder, self.service, self.origin, tenants);
        self.control(&Request::Reload { config: None }).expect("a reply")
    }

    /// `waf ARGUMENTS --config` of this node.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.waf);
        command.args(arguments).arg("--config").arg(self.folder.join("node.toml"));
        command.output().expect("run waf")
    }

    fn control(&self, request: &Request) -> Option<Reply> {
        control_sock::ask(&self.folder.join("state"), request).ok()
    }

    /// A GET as a browser sends it.
    pub fn get(&self, target: &str) -> Answer {
        self.ask(&format!("GET {target} HTTP/1.1\r\n{}\r\n", browser("www.example.test")))
    }

    /// The same for another name.
    pub fn get_from(&self, host: &str, target: &str) -> Answer {
        self.ask(&format!("GET {target} HTTP/1.1\r\n{}\r\n", browser(host)))
    }

    pub fn post(&self, media_type: &str, body: &str) -> Answer {
        let fields = format!("Content-Type: {media_type}\r\nContent-Length: {}\r\n", body.len());
        self.ask(&format!("POST / HTTP/1.1\r\n{}{fields}\r\n{body}", browser("www.example.test")))
    }

    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect_timeout(&self.service, READY).expect("the node listens");
        stream.set_read_timeout(Some(READY)).expect("a timeout");
        let port = stream.local_addr().expect("an address").port();
        stream.write_all(request.as_bytes()).expect("the node reads");
        let mut text = Vec::new();
        stream.read_to_end(&mut text).expect("an answer");
        let text = String::from_utf8_lossy(&text).into_owned();
        let status = text.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        Answer { status, text, line: self.line(port) }
    }

    /// The line of the request log of the request that came from a port.
    fn line(&self, port: u16) -> Value {
        let deadline = Instant::now() + READY;
        loop {
            let log = fs::read_to_string(self.folder.join("state/requests.jsonl")).unwrap_or_default();
            let mut lines = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(line) = lines.find(|line| line["client_port"] == port) {
                return line;
            }
            assert!(Instant::now() < deadline, "no line for port {port}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The event with an id.
    pub fn event(&self, id: &Value) -> Value {
        let output = self.command(&["event", id.as_str().expect("an id"), "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that has ended is not there to be killed, and what is left is swept with the temporary folder.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What came back, and what the request log says of it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub line: Value,
}

impl Answer {
    pub fn rules(&self) -> Vec<u64> {
        self.line["rules"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
    }
}

/// Fields whose absence the Core Rule Set counts against a visitor.
fn browser(host: &str) -> String {
    format!("Host: {host}\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\nConnection: close\r\n")
}

fn configure(folder: &Path, service: SocketAddr, origin: SocketAddr, tenants: &[&str]) -> PathBuf {
    let path = folder.join("node.toml");
    let mut text = "[node]\nname = \"rules\"\ncarrier = \"carrier-a\"\nworkers = 1\nstate_dir = \"state\"\n\
                    origin_networks = [\"127.0.0.0/8\"]\n[log]\nrequests = \"requests.jsonl\"\n\
                    events = \"events.jsonl\"\n[ban]\nrefused = 100000\n"
        .to_owned();
    for (number, (name, lines)) in ["www", "two"].iter().zip(tenants).enumerate() {
        text += &format!(
            "[[tenant]]\nid = {}\nfqdn = \"{name}.example.test\"\ndefault = {}\naddresses = [\"{}\"]\n\
             http_port = {}\norigins = [\"http://{origin}\"]\n{lines}\n",
            number + 1,
            number == 0,
            service.ip(),
            service.port(),
        );
    }
    fs::write(&path, text).expect("node.toml");
    path
}

/// Answers each request on a connection of its own, for as long as the test's process lives.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    address
}

/// `/leak` gives away a database's words, `/late-leak` after more than any body limit, else `fine`.
fn answer(mut stream: TcpStream) {
    let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
    let end = loop {
        if let Some(at) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut chunk) {
            Ok(read @ 1..) => seen.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    };
    let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
    let length =
        head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let mut left = length.unwrap_or(0_usize).saturating_sub(seen.len() - end);
    while left > 0 {
        match stream.read(&mut chunk) {
            Ok(read @ 1..) => left = left.saturating_sub(read),
            _ => return,
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    let body = match path {
        "/leak" => LEAK.to_owned(),
        "/late-leak" => " ".repeat(600 * 1024) + LEAK,
        _ => "fine".to_owned(),
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
    // The node may refuse in the midst of the answer.
    let _ = stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
}

//! A node without the kernel half: it binds real ports, and hands its very sockets over to the process that takes over.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use waf_tests::load::Load;
use waf_user::node::control::{Reply, Request};
use waf_user::node::control_sock;

const HOST: &str = "plain.example.test";
const TAKE_OVERS: u64 = 20;
const READY: Duration = Duration::from_secs(20);
const VISITORS: usize = 6;

/// A node's folder with its configuration; gone with it.
pub(crate) struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("waf-test-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        Self(folder)
    }

    fn configure(&self, service: SocketAddr, origin: SocketAddr, more: &str) -> PathBuf {
        let path = self.0.join("node.toml");
        let text = format!(
            "[node]\nname = \"plain\"\ncarrier = \"carrier-a\"\nworkers = 2\nstate_dir = \"state\"\n\
             origin_networks = [\"127.0.0.0/8\"]\n{more}\n[[tenant]]\nid = 1\nfqdn = \"{HOST}\"\n\
             addresses = [\"{}\"]\nhttp_port = {}\nrules = []\norigins = [\"http://{origin}\"]\n",
            service.ip(),
            service.port(),
        );
        fs::write(&path, text).expect("node.toml");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is swept with the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A node's process; killed on drop, if it has not ended.
pub(crate) struct Process(Child);

impl Process {
    pub fn start(waf: &Path, config: &Path, words: &[&str]) -> Self {
        let mut command = Command::new(waf);
        command.args(["node", "--config"]).arg(config).args(words).stdin(Stdio::null());
        Self(command.spawn().expect("start waf"))
    }

    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + READY;
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "a process does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Answers every head with the same few bytes, for as long as the test's process lives.
pub(crate) fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_all(stream));
        }
    });
    address
}

fn answer_all(mut stream: TcpStream) {
    let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        seen.extend_from_slice(&chunk[..read]);
        while let Some(at) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            seen.drain(..at + 4);
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                return;
            }
        }
    }
}

fn status(folder: &Folder) -> Option<waf_user::node::control::Status> {
    match control_sock::ask(&folder.0.join("state"), &Request::Status {}) {
        Ok(Reply::Status(status)) => Some(status),
        _ => None,
    }
}

pub(crate) fn generation_is(folder: &Folder, wanted: u64) {
    let deadline = Instant::now() + READY;
    while status(folder).is_none_or(|status| status.generation != wanted) {
        assert!(Instant::now() < deadline, "no generation {wanted}: {:?}", status(folder));
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn without_the_kernel_half_take_overs_and_reloads_lose_nothing() {
    let Some(waf) = std::env::var_os("WAF_BIN").map(PathBuf::from) else {
        println!("skipped: no WAF_BIN");
        return;
    };
    let folder = Folder::new("plain");
    let origin = origin();
    // A port that was free a moment ago; nobody else binds 127.88.0.1.
    let service = TcpListener::bind("127.88.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let config = folder.configure(service, origin, "");
    let mut process = Process::start(&waf, &config, &[]);
    generation_is(&folder, 1);
    let ban = Request::BanAdd {
        prefix: "192.0.2.1".to_owned(),
        scope: "node".to_owned(),
        ttl_s: Some(600),
        force: false,
    };
    let state = folder.0.join("state");
    assert_eq!(control_sock::ask(&state, &ban).expect("a reply"), Reply::Done {});

    let load = Load::start(VISITORS, HOST, &[service], || {});
    let mut old = Vec::new();
    for number in 1..=TAKE_OVERS {
        // Every other process has one worker more or less: sockets are shared out anew.
        let workers = if number % 2 == 0 { "" } else { "allow = [\"198.51.100.1\"]" };
        folder.configure(service, origin, workers);
        if number % 5 == 0 {
            let text = fs::read_to_string(&config).expect("node.toml");
            fs::write(&config, text.replace("workers = 2", "workers = 3")).expect("node.toml");
        }
        let next = Process::start(&waf, &config, &["--take-over"]);
        old.push(std::mem::replace(&mut process, next));
        generation_is(&folder, number + 1);
        assert_eq!(status(&folder).map(|status| status.bans), Some(1), "the ban goes with it");
    }
    let mut reloaded = 0;
    for number in 0..20 {
        let text = fs::read_to_string(&config).expect("node.toml");
        let (from, to) = if number % 2 == 0 { ("id = 1", "id = 7") } else { ("id = 7", "id = 1") };
        fs::write(&config, text.replace(from, to)).expect("node.toml");
        match control_sock::ask(&state, &Request::Reload { config: None }).expect("a reply") {
            Reply::Reloaded { .. } => reloaded += 1,
            other => panic!("{other:?}"),
        }
    }
    folder.configure(SocketAddr::new(service.ip(), 1), origin, "");
    let refused = control_sock::ask(&state, &Request::Reload { config: None }).expect("a reply");
    assert!(
        matches!(&refused, Reply::Refused { error } if error.contains("127.88.0.1:1") && error.contains("workers")),
        "{refused:?}"
    );
    for process in &mut old {
        assert!(process.wait().success(), "an old process ends well");
    }
    let tally = load.stop();
    let first: Vec<_> = tally.lost.iter().take(5).collect();
    assert!(tally.lost.is_empty(), "{} of {} lost: {first:?}", tally.lost.len(), tally.answered);
    println!(
        "{TAKE_OVERS} take-overs and {reloaded} reloads without kernel half, {} requests, none lost",
        tally.answered
    );
    assert_eq!(control_sock::ask(&state, &Request::Drain {}).expect("a reply"), Reply::Done {});
    assert!(process.wait().success(), "the last process ends well");
}

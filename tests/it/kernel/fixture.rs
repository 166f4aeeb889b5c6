//! A client and a node's machine, joined by a cable, with the kernel half loaded and some services; all is taken away on
//! drop.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use aya::programs::{TestRun, TestRunOptions, Xdp};
use aya_obj::programs::XdpAttachType;
use nix::sched::{CloneFlags, setns};
use nix::unistd::Uid;
use waf_common::limits::WORKERS_MAX;
use waf_common::names::{MAP_BLOCK4, PROGRAM_XDP};
use waf_common::outcome::{Counters, OUTCOMES, Outcome};
use waf_common::service::{CONFIG_ACTIVE, Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;
use waf_user::kernel::{Maps, Pins};
use waf_user::model::NodeName;
use xtask::lab::netns::{End, Namespace, cable, unique};

/// Addresses of the two ends of the cable.
pub const CLIENT4: &str = "10.9.0.2";
pub const CLIENT6: &str = "fd09::2";

/// Services on port 80: of tenant 1, shared, and of tenant 1 over IPv6.
pub const OWN: &str = "10.1.0.10";
pub const SHARED: &str = "10.1.0.11";
pub const OWN6: &str = "fd00:1::10";
/// In a service prefix, but no service address.
pub const UNUSED: &str = "10.1.0.99";

pub const TENANT: u32 = 1;
pub const OWN_ID: u32 = 1;
pub const SHARED_ID: u32 = 2;
pub const OWN6_ID: u32 = 3;
/// The worker set of all services.
pub const WORKER_SET: u32 = 7;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// The environment of `cargo xtask test`, or why there is none.
pub fn environment() -> Result<(PathBuf, PathBuf), String> {
    if !Uid::effective().is_root() {
        return Err("no CAP_BPF".to_owned());
    }
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(format!("no {name}"));
    Ok((path("WAF_BIN")?, path("WAF_OBJECT")?))
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A loaded kernel half between a client and a node's machine.
pub struct Fixture {
    pub client: Namespace,
    pub node: Namespace,
    pub name: NodeName,
    directory: PathBuf,
    binary: PathBuf,
}

impl Fixture {
    /// Namespaces and configuration, nothing loaded. None, and why, where the machine cannot.
    pub fn unloaded(settings: &str) -> Option<Self> {
        let (binary, object) = match environment() {
            Ok(found) => found,
            Err(why) => {
                println!("skipped: {why}");
                return None;
            }
        };
        let word = unique();
        let client = Namespace::new(&format!("{word}-c")).expect("namespace of the client");
        let node = Namespace::new(&format!("{word}-n")).expect("namespace of the node");
        let (left, right) = (["10.9.0.2/24", "fd09::2/64"], ["10.9.0.1/24", "fd09::1/64"]);
        cable(
            End { namespace: &client, device: "eth0", addresses: &left },
            End { namespace: &node, device: "eth1", addresses: &right },
        )
        .expect("cable");
        client.route("10.1.0.0/24", ip("10.9.0.1")).expect("route");
        client.route("fd00:1::/64", ip("fd09::1")).expect("route");

        let directory = std::env::temp_dir().join(format!("waf-test-{word}"));
        fs::create_dir_all(&directory).expect("directory of the test");
        let toml = format!(
            "[node]\nname = \"{word}\"\ncarrier = \"carrier-a\"\nuser = \"nobody\"\ninterface = \"eth1\"\n\
             kernel_object = {object:?}\nstate_dir = {directory:?}\n\
             service_prefixes = [\"10.1.0.0/24\", \"fd00:1::/64\"]\nworkers = 2\n{settings}\n"
        );
        fs::write(directory.join("node.toml"), toml).expect("node.toml");
        Some(Self { client, node, name: NodeName::new(&word).expect("a name"), directory, binary })
    }

    /// Loaded, active, with the services and every drop reported.
    pub fn active() -> Option<Self> {
        Self::active_with("")
    }

    pub fn active_with(settings: &str) -> Option<Self> {
        let fixture = Self::unloaded(settings)?;
        fixture.succeed(&["load"]);
        fixture.serve(0);
        fixture.activate(CONFIG_ACTIVE);
        Some(fixture)
    }

    pub fn maps(&self) -> Maps {
        Maps::open(&self.name).expect("maps of the node")
    }

    pub fn pins(&self) -> Pins {
        Pins::of(&self.name)
    }

    pub fn directory(&self) -> &PathBuf {
        &self.directory
    }

    pub fn activate(&self, flags: u32) {
        let config = Config { flags, event_sample: 1, generation_low: 1, generation_high: 0 };
        self.maps().activate(&config).expect("config");
    }

    /// Writes the services with these `SERVICE_*` bits, and a set of two workers.
    pub fn serve(&self, flags: u32) {
        let service = |address: &str, port, protocol, address_id, tenant| {
            let addr = waf_common::address::Address::from(ip(address)).octets;
            let value = ServiceValue {
                service_id: address_id,
                address_id,
                tenant,
                worker_set: WORKER_SET,
                flags,
                counters: 0,
            };
            (ServiceKey { addr, port, protocol, _pad: 0 }, value)
        };
        let maps = self.maps();
        let mut workers = [0; WORKERS_MAX];
        workers[1] = 1;
        maps.set_worker_set(WORKER_SET, &WorkerSet { count: 2, _pad: 0, workers }).expect("worker set");
        maps.replace_services(&[
            service(OWN, 80, TCP, OWN_ID, TENANT),
            service(OWN, 443, UDP, OWN_ID, TENANT),
            service(OWN, 0, 0, OWN_ID, TENANT),
            service(SHARED, 80, TCP, SHARED_ID, 0),
            service(SHARED, 0, 0, SHARED_ID, 0),
            service(OWN6, 80, TCP, OWN6_ID, TENANT),
            service(OWN6, 0, 0, OWN6_ID, TENANT),
        ])
        .expect("services");
    }

    /// Replaces a text of node.toml by another.
    pub fn rewrite(&self, from: &str, to: &str) {
        let file = self.directory.join("node.toml");
        let text = fs::read_to_string(&file).expect("node.toml");
        assert!(text.contains(from), "{text}");
        fs::write(&file, text.replacen(from, to, 1)).expect("node.toml");
    }

    /// `waf kernel WORDS --config node.toml` as root in the node's namespace.
    pub fn waf(&self, words: &[&str]) -> Output {
        let mut command = self.node.command(&self.binary);
        self.run(&mut command, words)
    }

    /// The same as the node's user.
    pub fn waf_as_nobody(&self, words: &[&str]) -> Output {
        let nobody = nix::unistd::User::from_name("nobody").ok().flatten().expect("nobody");
        // A build directory need not be open to others. Copied by a child: a descriptor of ours that is open for writing
        // would be inherited by whatever another test starts meanwhile, and the copy be "busy" (ETXTBSY).
        let binary = self.directory.join("waf");
        if !binary.exists() {
            let copied = Command::new("cp").arg(&self.binary).arg(&binary).status().expect("cp starts");
            assert!(copied.success());
        }
        let mut command = self.node.command_as(&nobody, &binary);
        self.run(&mut command, words)
    }

    fn run(&self, command: &mut Command, words: &[&str]) -> Output {
        command.arg("kernel").args(words).arg("--config").arg(self.directory.join("node.toml"));
        command.output().expect("waf starts")
    }

    /// As [`Fixture::waf`]; standard output of a success.
    pub fn succeed(&self, words: &[&str]) -> String {
        let output = self.waf(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// As [`Fixture::succeed`], with files closed to others by the caller's umask.
    pub fn succeed_under_umask(&self, umask: &str, words: &[&str]) {
        let mut command = self.node.command("sh");
        command.args(["-c", "umask $1; shift; exec \"$@\"", "sh", umask]).arg(&self.binary);
        let output = self.run(&mut command, words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Standard error of a failure.
    pub fn fail(&self, words: &[&str]) -> String {
        let output = self.waf(words);
        assert!(!output.status.success(), "{words:?} succeeded");
        String::from_utf8(output.stderr).expect("text")
    }

    /// Runs a frame through the attached program; its one outcome and the XDP action.
    pub fn verdict(&self, frame: &[u8]) -> (Outcome, u32) {
        let maps = self.maps();
        let program = Xdp::from_pin(self.pins().program(PROGRAM_XDP), XdpAttachType::Interface).expect("pin");
        // The cable may carry a neighbour's message meanwhile: then more than one counter moves, and it is tried again.
        for _ in 0..10 {
            let before = maps.counters().expect("counters");
            let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::new() };
            let action = program.test_run(options).expect("test run").return_value;
            let moved = moved(&before, &maps.counters().expect("counters"));
            if let [(outcome, 1)] = moved[..] {
                return (outcome, action);
            }
        }
        panic!("the cable is never quiet");
    }

    pub fn bpftool(&self, map: &str) -> serde_json::Value {
        let output = Command::new("bpftool")
            .args(["-j", "map", "dump", "pinned"])
            .arg(self.pins().map(map))
            .output()
            .expect("bpftool starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if self.pins().mount().exists() {
            self.waf(&["unload", "--force"]);
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Which counters moved, and by how much.
pub fn moved(before: &Counters, after: &Counters) -> Vec<(Outcome, u64)> {
    let difference = |outcome: &Outcome| (*outcome, after.of(*outcome) - before.of(*outcome));
    OUTCOMES.iter().map(difference).filter(|(_, count)| *count > 0).collect()
}

/// Runs in a namespace, on a thread of its own.
pub fn inside<T: Send>(namespace: &Namespace, run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let handle = fs::File::open(namespace.path()).expect("handle of the namespace");
            setns(handle.as_fd(), CloneFlags::CLONE_NEWNET).expect("enter the namespace");
            run()
        });
        thread.join().expect("the thread ends well")
    })
}

/// A connection from the client, or why there is none.
pub fn connect(fixture: &Fixture, address: &str, timeout: Duration) -> std::io::Result<std::net::TcpStream> {
    let target = SocketAddr::new(ip(address), 80);
    inside(&fixture.client, || std::net::TcpStream::connect_timeout(&target, timeout))
}

/// One entry's key and value as bpftool formats them with BTF.
pub fn formatted(dump: &serde_json::Value) -> &serde_json::Value {
    dump.get(0).and_then(|entry| entry.get("formatted")).expect("an entry with BTF")
}

/// Names the map for tests that only need one.
pub const BLOCK4: &str = MAP_BLOCK4;

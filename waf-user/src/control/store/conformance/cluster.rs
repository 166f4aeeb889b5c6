//! A real etcd on 127.0.0.1 with free ports and a folder of its own; its members are ended by their process ids.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::folder::Folder;
use super::*;

/// How long members may take to find each other on a busy machine.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// Tries to start one: between finding a free port and using it another program may take it.
const STARTS_MAX: usize = 3;

/// Where etcd-server lies: installed, or unpacked by `cargo xtask setup`.
pub fn program() -> Option<PathBuf> {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/etcd/usr/bin/etcd");
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::env::split_paths(&folders).map(|folder| folder.join("etcd"));
    let named = std::env::var_os("WAF_ETCD").map(PathBuf::from);
    named.into_iter().chain([unpacked]).chain(installed).find(|path| path.is_file())
}

pub struct Cluster {
    members: Vec<Member>,
    folder: Folder,
}

struct Member {
    child: Option<Child>,
    command: Command,
    pub endpoint: String,
}

impl Cluster {
    pub fn start(program: &Path, count: usize) -> Self {
        for _ in 0..STARTS_MAX {
            let mut cluster = Self::begin(program, count);
            if cluster.is_up() {
                return cluster;
            }
            for at in 0..count {
                let log = std::fs::read_to_string(cluster.folder.path().join(format!("m{at}.log")));
                println!("etcd member {at}: {}", log.unwrap_or_default());
            }
        }
        panic!("etcd does not start: its logs are above");
    }

    fn begin(program: &Path, count: usize) -> Self {
        let folder = Folder::new("etcd");
        // All held at once, so that no two are the same.
        let held: Vec<TcpListener> =
            (0..count * 2).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let ports: Vec<u16> = held.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        drop(held);
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let names: Vec<String> = (0..count).map(|at| format!("m{at}={}", url(ports[count + at]))).collect();
        let members = (0..count).map(|at| {
            let (client, peer) = (url(ports[at]), url(ports[count + at]));
            let mut command = Command::new(program);
            command.args(["--name", &format!("m{at}"), "--log-level", "error", "--logger", "zap"]);
            command.arg("--data-dir").arg(folder.path().join(format!("m{at}")));
            command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
            command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
            command.args(["--initial-cluster", &names.join(","), "--initial-cluster-state", "new"]);
            command.args(["--initial-cluster-token", &folder.path().display().to_string()]);
            let log = std::fs::File::create(folder.path().join(format!("m{at}.log"))).unwrap();
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
            let child = Some(command.spawn().unwrap());
            Member { child, command, endpoint: client }
        });
        Self { members: members.collect(), folder }
    }

    /// Waits until it answers; false where a member has ended or the time is over.
    fn is_up(&mut self) -> bool {
        let until = Instant::now() + UP_WITHIN;
        let endpoints = self.endpoints();
        while Instant::now() < until {
            let has_ended = self.members.iter_mut().any(|member| match &mut member.child {
                Some(child) => child.try_wait().unwrap().is_some(),
                None => false,
            });
            if has_ended {
                return false;
            }
            let connected = runtime().block_on(etcd::try_connect(endpoints.iter().map(String::as_str)));
            if connected.is_ok() {
                return true;
            }
        }
        false
    }

    pub fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(|member| member.endpoint.clone()).collect()
    }

    /// Signal 9, as a machine goes.
    pub fn kill(&mut self, at: usize) {
        if let Some(mut child) = self.members[at].child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts a killed one again from its folder.
    pub fn restart(&mut self, at: usize) {
        self.members[at].child = Some(self.members[at].command.spawn().unwrap());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for at in 0..self.members.len() {
            self.kill(at);
        }
    }
}

//! The node that is measured: a child process with a folder of its own, one tenant and a certificate made for it. Both go
//! with it.

use std::error::Error;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use rcgen::{CertificateParams, KeyPair};
use waf_user::model::Fqdn;
use waf_user::node::control::{Reply, Request};
use waf_user::node::control_sock;

/// The site that is asked for.
pub const SITE: &str = "bench.example.test";
/// The Core Rule Set is read and compiled within a part of it.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A node that serves.
pub struct Subject {
    child: Child,
    folder: PathBuf,
    pub https: SocketAddr,
    /// PEM of the certificate that its site has.
    pub certificate: String,
}

impl Subject {
    /// # Errors
    /// No folder, no port, no process; or it does not serve in time, with what it said.
    pub fn start(origin: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let folder = std::env::temp_dir().join(format!("waf-capacity-{}", std::process::id()));
        // Nobody else's: a folder that is there already is refused.
        fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|error| at("make", &folder, &error))?;
        let made = configure(&folder, origin).and_then(|(https, certificate)| {
            let child = spawn(&folder)?;
            Ok(Self { child, folder: folder.clone(), https, certificate })
        });
        let mut subject = made.inspect_err(|_error| drop(fs::remove_dir_all(&folder)))?;
        subject.wait()?;
        Ok(subject)
    }

    fn wait(&mut self) -> Result<(), Box<dyn Error>> {
        let deadline = Instant::now() + READY_WITHIN;
        let state = self.folder.join("state");
        loop {
            if let Ok(Reply::Status(_)) = control_sock::ask(&state, &Request::Status {}) {
                return Ok(());
            }
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(self.folder.join("node.log")).unwrap_or_default();
                let what = if ended.is_some() { "ended" } else { "does not serve" };
                return Err(format!("the node to be measured {what}:\n{said}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// CPU time of all its threads since its start.
    ///
    /// # Errors
    /// It has ended.
    pub fn cpu(&mut self) -> Result<Duration, Box<dyn Error>> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("the node that is measured has ended: {status}").into());
        }
        let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(self.child.id())?))?;
        Ok(Duration::from(clock.now()?))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Writes what the node reads; where it serves TLS, and its certificate.
fn configure(folder: &Path, origin: SocketAddr) -> Result<(SocketAddr, String), Box<dyn Error>> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![Fqdn::new(SITE)?.to_string()])?.self_signed(&key)?.pem();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| at("write", &path, &error))
    };
    write("site.pem", &certificate)?;
    write("site.key", &key.serialize_pem())?;
    // Free a moment ago; held together so that they are two.
    let ports = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [http, https] = [ports[0].local_addr()?, ports[1].local_addr()?];
    let text = format!(
        "[node]\nname = \"bench\"\ncarrier = \"bench\"\nstate_dir = \"state\"\norigin_networks = [\"127.0.0.0/8\"]\n\
         [[tenant]]\nid = 1\nfqdn = \"{SITE}\"\naddresses = [\"{}\"]\nhttp_port = {}\nhttps_port = {}\n\
         certificate = \"site.pem\"\nkey = \"site.key\"\norigins = [\"http://{origin}\"]\n",
        https.ip(),
        http.port(),
        https.port(),
    );
    write("node.toml", &text)?;
    Ok((https, certificate))
}

fn spawn(folder: &Path) -> Result<Child, Box<dyn Error>> {
    let log = folder.join("node.log");
    let log = fs::File::create(&log).map_err(|error| at("make", &log, &error))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["node", "--config"]).arg(folder.join("node.toml"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Ok(command.spawn().map_err(|error| format!("start a node: {error}"))?)
}

fn at(what: &str, path: &Path, error: &std::io::Error) -> Box<dyn Error> {
    format!("{what} {}: {error}", path.display()).into()
}

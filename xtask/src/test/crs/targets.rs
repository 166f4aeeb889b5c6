//! What the tests are sent to: a node, and Apache with mod_security2, both on this machine's loopback, in front of the same
//! origin and with the same rule files.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::runner::Tools;
use crate::build::Built;
use crate::lab::daemon::Daemon;
use crate::lab::run::{Run, make_folder};
use crate::process;
use crate::setup::apache::Apache;

const READY: Duration = Duration::from_secs(20);

const SET_UP: &str = "/etc/modsecurity/crs/crs-setup.conf";
const RULES: &str = "/usr/share/modsecurity-crs/rules/*.conf";

/// The settings that the tests of CRS 3.3 are written for (their rule 900005), and the response types they look at.
const TEST_SETTINGS: &str = "\
SecAction \"id:900005,phase:1,nolog,pass,ctl:ruleEngine=DetectionOnly,ctl:ruleRemoveById=910000,\\
setvar:tx.paranoia_level=4,setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,\\
setvar:tx.arg_length=400,setvar:tx.total_arg_length=64000,setvar:tx.max_num_args=255,\\
setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535\"
SecResponseBodyMimeType text/plain text/html text/xml application/json
";

/// What Apache needs so that its log can be cut into tests.
const MARKER: &str = "SecRule REQUEST_HEADERS:X-CRS-Test \"@rx ^.*$\" \"id:999999,phase:1,pass,t:none,log,\
                      msg:'X-CRS-Test %{MATCHED_VAR}',ctl:ruleRemoveById=1-999998\"";

/// The rule files of both, in their order.
pub struct RuleFiles {
    base: PathBuf,
    settings: PathBuf,
}

impl RuleFiles {
    pub fn write(run: &Run, apache: &Apache) -> Result<Self> {
        let settings = run.folder().join("test-settings.conf");
        fs::write(&settings, TEST_SETTINGS).context("write the tests' settings")?;
        Ok(Self { base: apache.recommended.clone(), settings })
    }

    pub fn all(&self) -> Vec<&Path> {
        let base = std::iter::once(self.base.as_path());
        base.chain(self.without_base()).collect()
    }

    pub fn without_base(&self) -> Vec<&Path> {
        vec![Path::new(SET_UP), &self.settings, Path::new(RULES)]
    }
}

/// The origin that the tests are written for.
pub struct Backend {
    address: SocketAddr,
    _daemon: Daemon,
}

impl Backend {
    pub fn start(run: &Run, tools: &Tools) -> Result<Self> {
        let address = free_port()?;
        let mut python = process::command("python3");
        python.arg(&tools.backend).args(["--port", &address.port().to_string()]);
        let mut daemon = Daemon::start(run, "crs-backend", python)?;
        daemon.wait_until(READY, || Ok(TcpStream::connect(address).is_ok()))?;
        Ok(Self { address, _daemon: daemon })
    }
}

/// A node without the kernel half, whose one tenant answers for every name.
pub struct Node {
    pub address: SocketAddr,
    pub requests: PathBuf,
    pub events: PathBuf,
    _daemon: Daemon,
}

impl Node {
    pub fn start(run: &Run, name: &str, built: &Built, backend: &Backend, rules: &[&Path]) -> Result<Self> {
        let address = free_port()?;
        let folder = run.folder().join(format!("node-{name}"));
        make_folder(&folder, 0o755)?;
        let log = |name: &str| folder.join("state").join(name);
        let text = format!(
            "[node]\nname = \"crs\"\ncarrier = \"carrier-a\"\nworkers = 1\nstate_dir = \"state\"\n\
             origin_networks = [\"127.0.0.0/8\"]\n\
             [log]\nrequests = \"requests.jsonl\"\nevents = \"events.jsonl\"\n[ban]\nrefused = 1000000\n\
             [[tenant]]\nid = 1\nfqdn = \"www.example.test\"\ndefault = true\naddresses = [\"{}\"]\n\
             http_port = {}\norigins = [\"http://{}\"]\nresponse_bodies = true\nrules = {rules:?}\n",
            address.ip(),
            address.port(),
            backend.address,
        );
        let config = folder.join("node.toml");
        fs::write(&config, text).context("write node.toml")?;
        let mut command = process::command(&built.waf);
        command.args(["node", "--config"]).arg(&config);
        let mut daemon = Daemon::start(run, &format!("crs-node-{name}"), command)?;
        daemon.wait_until(READY, || Ok(TcpStream::connect(address).is_ok()))?;
        Ok(Self { address, requests: log("requests.jsonl"), events: log("events.jsonl"), _daemon: daemon })
    }
}

/// Apache with mod_security2.
pub struct Host {
    pub address: SocketAddr,
    pub log: PathBuf,
    _daemon: Daemon,
}

impl Host {
    pub fn start(run: &Run, apache: &Apache, backend: &Backend, files: &RuleFiles) -> Result<Self> {
        let address = free_port()?;
        let folder = run.folder().join("apache");
        // The server's own user writes its collections here.
        make_folder(&folder, 0o777)?;
        let config = folder.join("apache.conf");
        let log = folder.join("error.log");
        fs::write(&config, Self::config(apache, &folder, &log, (address, backend.address), files))
            .context("write Apache's configuration")?;
        let mut command = process::command(&apache.program);
        command.arg("-f").arg(&config).arg("-DFOREGROUND");
        let mut daemon = Daemon::start(run, "crs-apache", command)?;
        daemon.wait_until(READY, || Ok(TcpStream::connect(address).is_ok()))?;
        Ok(Self { address, log, _daemon: daemon })
    }

    fn config(
        apache: &Apache,
        folder: &Path,
        log: &Path,
        (address, origin): (SocketAddr, SocketAddr),
        files: &RuleFiles,
    ) -> String {
        let modules = ["mpm_event", "authz_core", "proxy", "proxy_http", "unique_id", "security2"];
        let modules =
            modules.map(|name| format!("LoadModule {name}_module modules/mod_{name}.so\n")).concat();
        let include = |file: &Path| format!("Include {}\n", file.display());
        let rules: String = files.without_base().into_iter().map(include).collect();
        let (root, folder, log) = (apache.root.display(), folder.display(), log.display());
        format!(
            "ServerRoot {root}\nPidFile {folder}/pid\nDefaultRuntimeDir {folder}\nMutex file:{folder} default\n\
             ServerName www.example.test\n{modules}Listen {address}\nUser www-data\nGroup www-data\n\
             ServerLimit 1\nStartServers 1\nThreadsPerChild 16\nThreadLimit 16\nMaxRequestWorkers 16\n\
             MinSpareThreads 1\nMaxSpareThreads 16\nErrorLog {log}\nLogLevel error\n\
             ProxyPreserveHost On\nProxyPass / http://{origin}/\n{base}SecRuleEngine On\nSecAuditEngine Off\n\
             SecTmpDir {folder}/\nSecDataDir {folder}/\n{MARKER}\n{rules}",
            base = include(&files.base),
        )
    }
}

/// A port of loopback that was free a moment ago.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr())?)
}

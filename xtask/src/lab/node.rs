//! One carrier's node: its kernel half loaded as root, its daemon as an ordinary user without capability, and the
//! commands an operator would type at it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::User;
use serde_json::Value;

use super::daemon::Daemon;
use super::netns::Namespace;
use super::run::{Run, make_folder};
use super::sweep::{RUN_DIR, remove_pins};
use super::topology::Carrier;
use super::{ADMIN, give};
use crate::complain;
use crate::process;

/// Loading rules, binding, publishing: well under a second in the dev build; a busy machine more.
const READY: Duration = Duration::from_secs(20);

/// A node of the lab. On drop its daemon is ended and its kernel half unloaded.
#[derive(Debug)]
pub struct Node {
    pub carrier: Carrier,
    name: String,
    namespace: Rc<Namespace>,
    waf: PathBuf,
    config: PathBuf,
    state: PathBuf,
    user: User,
    daemon: Option<Daemon>,
    /// Processes started so far: each has a log of its own.
    started: u32,
    /// What `waf kernel load` said.
    loaded: Option<String>,
}

impl Node {
    /// A node that is configured, but neither loaded nor started.
    pub fn new(carrier: Carrier, name: String, namespace: Rc<Namespace>, files: Files, user: User) -> Self {
        let Files { waf, config, state } = files;
        Self { carrier, name, namespace, waf, config, state, user, daemon: None, started: 0, loaded: None }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn config(&self) -> &Path {
        &self.config
    }

    pub fn state(&self) -> &Path {
        &self.state
    }

    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub fn daemon(&self) -> Option<&Daemon> {
        self.daemon.as_ref()
    }

    /// What its daemon logged since its last start.
    ///
    /// # Errors
    /// It does not run, or the log cannot be read.
    pub fn log(&self) -> Result<String> {
        let daemon = self.daemon().with_context(|| format!("{} does not run", self.name))?;
        fs::read_to_string(daemon.log()).with_context(|| format!("read {}", daemon.log().display()))
    }

    /// Loads the kernel half.
    ///
    /// # Errors
    /// `waf kernel load` refuses.
    pub fn load(&mut self) -> Result<()> {
        let mut load = self.namespace.command(&self.waf);
        let said = process::text(load.args(["kernel", "load", "--config"]).arg(&self.config))?;
        self.loaded = Some(said);
        Ok(())
    }

    /// How XDP was attached, as `waf kernel load` has reported it: `native` or `generic`.
    pub fn xdp_mode(&self) -> &str {
        let said = self.loaded.as_deref().unwrap_or_default();
        let mode = ["native", "generic"].into_iter().find(|mode| said.contains(mode));
        mode.unwrap_or("in a mode not reported")
    }

    /// Starts the daemon and waits until it serves all its tenants.
    ///
    /// # Errors
    /// It ends or does not become ready in time; the message holds the end of its log.
    pub fn start(&mut self, run: &Run) -> Result<()> {
        self.begin(run)?;
        self.wait_ready()
    }

    /// Starts the daemon.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn begin(&mut self, run: &Run) -> Result<()> {
        self.daemon = Some(self.process(run, &[])?);
        Ok(())
    }

    /// Waits until it serves all its tenants. A daemon that does not is ended.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn wait_ready(&mut self) -> Result<()> {
        let mut daemon = self.daemon.take().with_context(|| format!("{} does not run", self.name))?;
        let namespace = Rc::clone(&self.namespace);
        daemon.wait_until(READY, || Ok(admin(&namespace, "/readyz")?.is_some()))?;
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Joins a fleet, as the daemon's user; its exit status is the caller's matter.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn join(&self, control: &str, token: &str) -> Result<Output> {
        self.join_by(&self.config, control, token)
    }

    /// The same as one who has this node's configuration and none of its state.
    ///
    /// # Errors
    /// Its files cannot be laid, or it cannot be started.
    pub fn join_as_stranger(&self, run: &Run, control: &str, token: &str) -> Result<Output> {
        let folder = run.folder().join(format!("{}-stranger", self.name));
        make_folder(&folder, 0o755)?;
        let (config, state) = (folder.join("node.toml"), folder.join("state"));
        make_folder(&state, 0o750)?;
        give(&state, Some(&self.user), Some(&self.user), 0o750)?;
        let text = fs::read_to_string(&self.config)?;
        let text = text.replace(&format!("{:?}", self.state), &format!("{state:?}"));
        fs::write(&config, text).with_context(|| format!("write {}", config.display()))?;
        self.join_by(&config, control, token)
    }

    fn join_by(&self, config: &Path, control: &str, token: &str) -> Result<Output> {
        let mut command = self.namespace.command_as(&self.user, &self.waf);
        command.args(["node-join", "--config"]).arg(config);
        process::capture(command.args(["--control", control, "--token", token]))
    }

    /// Starts a second daemon that takes over. The first is given back: it ends by itself.
    ///
    /// # Errors
    /// The new one ends or does not become ready in time; then the first is the node's daemon still.
    pub fn take_over(&mut self, run: &Run) -> Result<Daemon> {
        let mut daemon = self.process(run, &["--take-over"])?;
        let log = daemon.log().to_owned();
        daemon.wait_until(READY, || Ok(fs::read_to_string(&log)?.contains("node serves")))?;
        self.daemon.replace(daemon).with_context(|| format!("{} did not run", self.name))
    }

    /// The daemon as it is started, with more words on its command line.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn process(&mut self, run: &Run, words: &[&str]) -> Result<Daemon> {
        let mut command = self.namespace.command_as(&self.user, &self.waf);
        command.args(["node", "--config"]).arg(&self.config).args(words);
        let name = match self.started {
            0 => self.name.clone(),
            more => format!("{}-{more}", self.name),
        };
        self.started += 1;
        Daemon::start(run, &name, command)
    }

    /// Ends the daemon as an operator would; the kernel half stays.
    ///
    /// # Errors
    /// It does not run, or ends with an error.
    pub fn stop(&mut self) -> Result<()> {
        let daemon = self.daemon.take().with_context(|| format!("{} does not run", self.name))?;
        let status = daemon.stop()?;
        if !status.success() {
            bail!("{} {} on SIGTERM", self.name, process::ending(status));
        }
        Ok(())
    }

    /// Ends the daemon as a crash would.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self) -> Result<()> {
        let daemon = self.daemon.take().with_context(|| format!("{} does not run", self.name))?;
        daemon.kill().map(drop)
    }

    /// Gives the daemon away: something else ends it.
    ///
    /// # Errors
    /// It does not run.
    pub fn take_daemon(&mut self) -> Result<Daemon> {
        self.daemon.take().with_context(|| format!("{} does not run", self.name))
    }

    /// A `waf` command at this node, such as `["ban", "list"]`; `--config` is added.
    ///
    /// # Errors
    /// It cannot be started; its exit status is the caller's matter.
    pub fn waf(&self, words: &[&str]) -> Result<Output> {
        process::capture(&mut self.waf_command(words))
    }

    /// The same, which must succeed; its standard output.
    ///
    /// # Errors
    /// It exits non-zero.
    pub fn waf_text(&self, words: &[&str]) -> Result<String> {
        process::text(&mut self.waf_command(words))
    }

    fn waf_command(&self, words: &[&str]) -> Command {
        let mut command = self.namespace.command(&self.waf);
        command.args(words).arg("--config").arg(&self.config);
        command
    }

    /// What the admin listener shows under `path`.
    ///
    /// # Errors
    /// It does not answer 200.
    pub fn admin(&self, path: &str) -> Result<String> {
        admin(&self.namespace, path)?.with_context(|| format!("{} does not answer 200 at {path}", self.name))
    }

    /// A metric's sample lines: name with labels, value.
    ///
    /// # Errors
    /// The admin listener does not answer.
    pub fn metric(&self, name: &str) -> Result<Vec<(String, f64)>> {
        let text = self.admin("/metrics")?;
        let samples = text.lines().filter(|line| line.starts_with(name));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        Ok(samples.filter_map(|(key, value)| Some((key.to_owned(), value.parse().ok()?))).collect())
    }

    /// A map as `bpftool -j map dump pinned` prints it.
    ///
    /// # Errors
    /// The node is not loaded, or bpftool complains.
    pub fn map(&self, name: &str) -> Result<Value> {
        let pin = self.pins()?.join("maps").join(name);
        let mut bpftool = process::command("bpftool");
        let json = process::output(bpftool.args(["-j", "map", "dump", "pinned"]).arg(&pin))?;
        serde_json::from_slice(&json).with_context(|| format!("read what bpftool says of {}", pin.display()))
    }

    /// The folder of the one schema that is loaded.
    ///
    /// # Errors
    /// Nothing is pinned.
    pub fn pins(&self) -> Result<PathBuf> {
        let bpf = Path::new(RUN_DIR).join(&self.name).join("bpf");
        let entries = fs::read_dir(&bpf).with_context(|| format!("list {}", bpf.display()))?;
        let schema = entries.flatten().map(|entry| entry.path()).next();
        schema.with_context(|| format!("nothing is pinned in {}", bpf.display()))
    }

    /// The fields of `/proc/PID/status` of the daemon, such as `CapEff`.
    ///
    /// # Errors
    /// It does not run.
    pub fn process_status(&self, field: &str) -> Result<String> {
        let daemon = self.daemon().with_context(|| format!("{} does not run", self.name))?;
        let path = format!("/proc/{}/status", daemon.pid());
        let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(line.with_context(|| format!("no {field} in {path}"))?.trim().to_owned())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.daemon.take());
        let node = Path::new(RUN_DIR).join(&self.name);
        if self.loaded.is_some()
            && let Err(error) = self.waf_text(&["kernel", "unload", "--force"])
        {
            complain!("warning: unload {}: {error:#}", self.name);
        }
        // A load that was cut short may have left some of it.
        if node.exists()
            && let Err(error) = remove_pins(&node)
        {
            complain!("warning: {error:#}");
        }
    }
}

/// Files that a node is made of.
#[derive(Clone, Debug)]
pub struct Files {
    pub waf: PathBuf,
    pub config: PathBuf,
    pub state: PathBuf,
}

fn admin(namespace: &Namespace, path: &str) -> Result<Option<String>> {
    let mut curl = namespace.command("curl");
    curl.args(["-q", "-sS", "--fail", "--noproxy", "*", "--max-time", "2", &format!("http://{ADMIN}{path}")]);
    let output = process::capture(&mut curl)?;
    Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

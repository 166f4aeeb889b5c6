//! The control plane of a fleet: one `waf control` with SQLite in a namespace of its own, and the commands that an
//! operator and a customer type at it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::User;
use serde_json::Value;

use super::topology::CONTROL;
use crate::lab::daemon::Daemon;
use crate::lab::give;
use crate::lab::netns::Namespace;
use crate::lab::run::{self, Run};
use crate::process;

/// Where people ask.
const API_PORT: u16 = 8443;
/// Where nodes ask.
const SYNC_PORT: u16 = 8444;
/// The vendor's zone.
pub const ZONE: &str = "edge.waf.test";
/// A start opens the store, makes keys at the first time, and binds: a second in the dev build; a busy machine more.
const READY: Duration = Duration::from_secs(20);

/// Who asks the control plane, which is a token in a file.
#[derive(Clone, Debug)]
pub struct Person {
    token: PathBuf,
}

/// The process and its files. Ended on drop.
#[derive(Debug)]
pub struct ControlPlane {
    namespace: Rc<Namespace>,
    waf: PathBuf,
    config: PathBuf,
    data: PathBuf,
    user: User,
    operator: Person,
    daemon: Option<Daemon>,
    /// Processes started so far: each has a log of its own.
    started: u32,
}

impl ControlPlane {
    /// Lays its files; nothing runs yet.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn lay(run: &Run, waf: &Path, namespace: Rc<Namespace>, user: &User) -> Result<Self> {
        let folder = run.folder().join("control");
        run::make_folder(&folder, 0o755)?;
        let (config, data) = (folder.join("control.toml"), folder.join("data"));
        run::make_folder(&data, 0o700)?;
        give(&data, Some(user), Some(user), 0o700)?;
        let text = format!(
            "data_dir = {data:?}\nzone = {ZONE:?}\n\n[api]\nlisten = \"{CONTROL}:{API_PORT}\"\nnames = [\"{CONTROL}\"]\n\n\
             [sync]\nlisten = \"{CONTROL}:{SYNC_PORT}\"\n"
        );
        fs::write(&config, text).with_context(|| format!("write {}", config.display()))?;
        let operator = Person { token: data.join("operator.token") };
        let (waf, user) = (waf.to_owned(), user.clone());
        Ok(Self { namespace, waf, config, data, user, operator, daemon: None, started: 0 })
    }

    /// Where nodes join and stay connected.
    pub fn sync_url() -> String {
        format!("https://{CONTROL}:{SYNC_PORT}")
    }

    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Its data directory: the store, and the keys that seal what is secret in it.
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn daemon(&self) -> Option<&Daemon> {
        self.daemon.as_ref()
    }

    /// Starts it and waits until it answers an operator.
    ///
    /// # Errors
    /// It ends or does not become ready in time; the message holds the end of its log.
    pub fn start(&mut self, run: &Run) -> Result<()> {
        let mut command = self.namespace.command_as(&self.user, &self.waf);
        command.args(["control", "--config"]).arg(&self.config);
        let name = match self.started {
            0 => "control".to_owned(),
            more => format!("control-{more}"),
        };
        self.started += 1;
        let mut daemon = Daemon::start(run, &name, command)?;
        daemon.wait_until(READY, || {
            let mut asked = self.command(&self.operator, &["fleet", "list", "--json"]);
            Ok(process::capture(&mut asked)?.status.success())
        })?;
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self) -> Result<()> {
        self.daemon.take().context("the control plane does not run")?.kill().map(drop)
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// It does not run, or ends with an error.
    pub fn stop(&mut self) -> Result<()> {
        let status = self.daemon.take().context("the control plane does not run")?.stop()?;
        if !status.success() {
            bail!("the control plane {} on SIGTERM", process::ending(status));
        }
        Ok(())
    }

    /// A `waf` command as the operator types it, such as `["fleet", "list"]`; its standard output.
    ///
    /// # Errors
    /// It exits non-zero.
    pub fn operator(&self, words: &[&str]) -> Result<String> {
        process::text(&mut self.command(&self.operator, words))
    }

    /// The same, whatever it exits with.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn try_as(&self, person: &Person, words: &[&str]) -> Result<Output> {
        process::capture(&mut self.command(person, words))
    }

    /// The same as JSON; `--json` is added.
    ///
    /// # Errors
    /// It exits non-zero, or prints something else.
    pub fn operator_json(&self, words: &[&str]) -> Result<Value> {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let text = self.operator(&words)?;
        serde_json::from_str(&text).with_context(|| format!("read what waf {} prints", words.join(" ")))
    }

    /// A command as a person types it who has a token.
    ///
    /// # Errors
    /// It exits non-zero.
    pub fn as_person(&self, person: &Person, words: &[&str]) -> Result<String> {
        process::text(&mut self.command(person, words))
    }

    /// A customer of that name, with a token of its own.
    ///
    /// # Errors
    /// The control plane refuses.
    pub fn customer(&self, name: &str) -> Result<Person> {
        self.operator(&["customer", "put", name, "--note", "the lab's"])?;
        let token =
            self.operator(&["token", "new", "--customer", name, "--note", "the lab's", "--days", "7"])?;
        let path = self.data.with_file_name(format!("{name}.token"));
        fs::write(&path, format!("{}\n", token.trim()))
            .with_context(|| format!("write {}", path.display()))?;
        run::set_mode(&path, 0o600)?;
        Ok(Person { token: path })
    }

    /// The operator.
    pub fn person(&self) -> &Person {
        &self.operator
    }

    /// The command line with which a person would begin, for the guide.
    pub fn words(&self, person: &Person) -> String {
        format!(
            "--control https://{CONTROL}:{API_PORT} --token-file {} --ca {}",
            person.token.display(),
            self.data.join("authority.pem").display()
        )
    }

    fn command(&self, person: &Person, words: &[&str]) -> Command {
        let mut command = self.namespace.command(&self.waf);
        command.args(words).args(["--control", &format!("https://{CONTROL}:{API_PORT}")]);
        command.env("WAF_TOKEN_FILE", &person.token);
        command.env("WAF_CA_FILE", self.data.join("authority.pem"));
        command
    }
}

//! Network namespaces of our own: made by `ip`, entered by `nsenter`, removed on drop. Needs root. Knows nothing of
//! carriers or nodes. Never `ip netns exec`: it makes a mount namespace, which hides the nodes' bpffs.

use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use nix::unistd::User;

use crate::complain;
use crate::process;

/// All our namespaces begin so; nothing else is ever removed.
pub const PREFIX: &str = "waf-";
/// Where `ip netns` keeps its handles.
const NETNS_DIR: &str = "/run/netns";

/// A word that no other live process of this machine uses: `pid<pid>x<count>`. A sweep recognises it, and removes what
/// bears it once the process is gone. For names of namespaces and nodes in tests.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("pid{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The process that made a word by [`unique`].
pub fn owner(word: &str) -> Option<u32> {
    let (pid, count) = word.strip_prefix("pid")?.split_once('x')?;
    count.parse::<u32>().ok()?;
    pid.parse().ok()
}

/// One namespace, with its loopback up and duplicate address detection off. Deleted on drop.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes `waf-<label>`; labels of tests should hold [`unique`].
    ///
    /// # Errors
    /// No root, or the name is taken.
    pub fn new(label: &str) -> Result<Self> {
        let name = format!("{PREFIX}{label}");
        process::run(process::command("ip").args(["netns", "add", &name]))
            .with_context(|| format!("make namespace {name}"))?;
        let namespace = Self { name };
        namespace.ip(["link", "set", "lo", "up"])?;
        // Addresses and routers come from us alone: no waiting for duplicates, no advertisements.
        namespace.sysctl("net/ipv6/conf/default/accept_dad", "0")?;
        namespace.sysctl("net/ipv6/conf/default/accept_ra", "0")?;
        // A link that goes down and comes back has its addresses still, as in IPv4.
        namespace.sysctl("net/ipv6/conf/default/keep_addr_on_down", "1")?;
        Ok(namespace)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The handle that `nsenter --net=` takes.
    pub fn path(&self) -> PathBuf {
        Path::new(NETNS_DIR).join(&self.name)
    }

    /// A command that runs in this namespace with the caller's rights and the caller's mounts. nsenter and setpriv
    /// replace themselves: the child's pid is the program's.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = process::command("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// The same as an ordinary user: no supplementary group, no capability in any set, none to be gained.
    pub fn command_as(&self, user: &User, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command("setpriv");
        command
            .arg(format!("--reuid={}", user.uid))
            .arg(format!("--regid={}", user.gid))
            .args(["--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"])
            .args(["--no-new-privs", "--"])
            .arg(program);
        command
    }

    /// `ip` on this namespace: `ns.ip(["link", "set", "eth1", "up"])`.
    ///
    /// # Errors
    /// What `ip` complains of.
    pub fn ip<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Result<()> {
        process::run(process::command("ip").args(["-n", &self.name]).args(words))
    }

    /// Gives `device` an address such as `10.1.0.1/24` or `fd00::1/64`, usable at once.
    ///
    /// # Errors
    /// What `ip` complains of.
    pub fn address(&self, device: &str, address: &str) -> Result<()> {
        let nodad: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
        self.ip(["address", "add", address, "dev", device].into_iter().chain(nodad.iter().copied()))
    }

    /// Routes `prefix` by way of a neighbour's address.
    ///
    /// # Errors
    /// What `ip` complains of.
    pub fn route(&self, prefix: &str, via: IpAddr) -> Result<()> {
        self.ip(["route", "add", prefix, "via", &via.to_string()])
    }

    /// Sets one of the namespace's own settings below /proc/sys, such as `net/ipv4/ip_forward`.
    ///
    /// # Errors
    /// No such setting, or no right to it.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        // /proc/sys/net shows the namespace of the process that opens it.
        let mut shell = self.command("sh");
        shell.args(["-c", "printf %s \"$2\" > \"/proc/sys/$1\"", "sh", key, value]);
        process::run(&mut shell).with_context(|| format!("set {key} in {}", self.name))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Interfaces and routes go with it, once the last process in it has ended.
        if let Err(error) = delete(&self.name) {
            complain!("warning: {error:#}");
        }
    }
}

/// Deletes a namespace of ours by name, as a sweep does. Gone already is as good.
///
/// # Errors
/// Not one of ours, or `ip` complains.
pub fn delete(name: &str) -> Result<()> {
    if !name.starts_with(PREFIX) {
        bail!("namespace {name} is not ours");
    }
    if !Path::new(NETNS_DIR).join(name).exists() {
        return Ok(());
    }
    process::run(process::command("ip").args(["netns", "delete", name]))
        .with_context(|| format!("remove namespace {name}"))
}

/// Names of all namespaces that begin with [`PREFIX`].
pub fn names() -> Vec<String> {
    let Ok(entries) = fs::read_dir(NETNS_DIR) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.starts_with(PREFIX)).collect()
}

/// One end of a cable.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub namespace: &'a Namespace,
    /// At most 15 characters.
    pub device: &'a str,
    /// With prefix length: `10.1.0.1/24`.
    pub addresses: &'a [&'a str],
}

/// Lays a veth pair between two namespaces, with addresses, both ends up and transmit checksum offload off: what XDP
/// sends on (CPUMAP, redirect) must carry real checksums.
///
/// # Errors
/// What `ip` complains of.
pub fn cable(left: End<'_>, right: End<'_>) -> Result<()> {
    let (a, b) = (left.namespace, right.namespace);
    let peer = ["peer", "name", right.device, "netns", b.name()];
    process::run(
        process::command("ip")
            .args(["link", "add", left.device, "netns", a.name(), "type", "veth"])
            .args(peer),
    )
    .with_context(|| format!("lay a cable from {} to {}", a.name(), b.name()))?;
    for end in [left, right] {
        for address in end.addresses {
            end.namespace.address(end.device, address)?;
        }
        end.namespace.ip(["link", "set", end.device, "up"])?;
        checksums_in_software(end.namespace, end.device)?;
    }
    Ok(())
}

/// Without ethtool the offload stays on: right for all but CPUMAP, so it is said, not refused.
fn checksums_in_software(namespace: &Namespace, device: &str) -> Result<()> {
    if process::find("ethtool").is_none() {
        complain!("warning: no ethtool: checksum offload of {device} in {} stays on", namespace.name());
        return Ok(());
    }
    process::run(namespace.command("ethtool").args(["-K", device, "tx", "off"]))
}

#[cfg(test)]
mod tests;

//! With the kernel half the node runs as the user that `waf kernel load` gave the pins to, and as nobody else, and
//! without any capability: it reads what strangers send. It changes no user and drops nothing by itself.

use std::fs;
use std::io;

use nix::unistd::{Uid, User, geteuid};

use crate::config::NodeSettings;

/// Why the process runs as the wrong user.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("look up user {name}")]
    LookUp { name: String, source: nix::Error },
    #[error("there is no user {0} on this machine: set `user` in [node], or create it")]
    Unknown(String),
    #[error(
        "with `interface` set, waf node runs as {name} (uid {wanted}) only, not as uid {actual}: \
         start it so, for example `setpriv --reuid {name} --regid {gid} --init-groups --inh-caps=-all waf node …`"
    )]
    Wrong { name: String, wanted: u32, gid: u32, actual: u32 },
    #[error(
        "with `interface` set, `user` in [node] must be an ordinary user: {0} is root, who has every capability"
    )]
    Root(String),
    #[error("read the capabilities of this process in {STATUS}")]
    Status(#[source] io::Error),
    #[error(
        "waf node runs without capabilities, and this process has some (CapPrm {0:016x}): start it without ambient \
         ones, from a binary without file capabilities"
    )]
    Capable(u64),
}

/// proc_pid_status(5)
const STATUS: &str = "/proc/self/status";

/// Without `interface` any user will do.
///
/// # Errors
/// See [`UserError`].
pub fn check_user(settings: &NodeSettings) -> Result<(), UserError> {
    if settings.interface.is_none() {
        return Ok(());
    }
    let name = settings.user.clone();
    match User::from_name(&name) {
        Ok(Some(user)) => {
            check_uid(&name, user.uid, user.gid.as_raw(), geteuid())?;
            check_capabilities(&fs::read_to_string(STATUS).map_err(UserError::Status)?)
        }
        Ok(None) => Err(UserError::Unknown(name)),
        Err(source) => Err(UserError::LookUp { name, source }),
    }
}

fn check_uid(name: &str, wanted: Uid, gid: u32, actual: Uid) -> Result<(), UserError> {
    if wanted.is_root() {
        return Err(UserError::Root(name.to_owned()));
    }
    if wanted == actual {
        return Ok(());
    }
    Err(UserError::Wrong { name: name.to_owned(), wanted: wanted.as_raw(), gid, actual: actual.as_raw() })
}

/// What is not permitted cannot become effective. A kernel that has no capabilities tells of none.
fn check_capabilities(status: &str) -> Result<(), UserError> {
    let permitted = status.lines().find_map(|line| line.strip_prefix("CapPrm:"));
    match permitted.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()) {
        None | Some(0) => Ok(()),
        Some(capabilities) => Err(UserError::Capable(capabilities)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_user_may_run() {
        let table = [
            ("itself", 100, 100, true),
            ("root", 100, 0, false),
            ("another", 100, 101, false),
            ("root, named", 0, 0, false),
        ];
        for (name, wanted, actual, expected) in table {
            let checked = check_uid("waf", Uid::from_raw(wanted), 100, Uid::from_raw(actual));
            assert_eq!(checked.is_ok(), expected, "{name}");
        }
    }

    #[test]
    fn a_process_with_capabilities_may_not_run() {
        let table = [
            ("none", "CapInh:\t0000000000000001\nCapPrm:\t0000000000000000\n", true),
            ("NET_ADMIN", "Name:\twaf\nCapPrm:\t0000000000001000\nCapEff:\t0000000000000000\n", false),
            ("all", "CapPrm:\t000001ffffffffff\n", false),
            ("not told", "Name:\twaf\n", true),
        ];
        for (name, status, expected) in table {
            assert_eq!(check_capabilities(status).is_ok(), expected, "{name}");
        }
    }
}

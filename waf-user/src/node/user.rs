//! With the kernel half the node runs as the user that `waf kernel load` gave the pins to, and as nobody else: root
//! would bring capabilities, another user would find the pins closed. It changes no user by itself.

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
}

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
        Ok(Some(user)) => check_uid(&name, user.uid, user.gid.as_raw(), geteuid()),
        Ok(None) => Err(UserError::Unknown(name)),
        Err(source) => Err(UserError::LookUp { name, source }),
    }
}

fn check_uid(name: &str, wanted: Uid, gid: u32, actual: Uid) -> Result<(), UserError> {
    if wanted == actual {
        return Ok(());
    }
    Err(UserError::Wrong { name: name.to_owned(), wanted: wanted.as_raw(), gid, actual: actual.as_raw() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_user_may_run() {
        let table = [("itself", 100, true), ("root", 0, false), ("another", 101, false)];
        for (name, uid, expected) in table {
            assert_eq!(
                check_uid("waf", Uid::from_raw(100), 100, Uid::from_raw(uid)).is_ok(),
                expected,
                "{name}"
            );
        }
    }
}

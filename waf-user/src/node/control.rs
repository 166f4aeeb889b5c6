//! The words of control.sock: one JSON request, one JSON reply; and what each request does. Bytes and sockets are not
//! known here.

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::enforce::{Enforcer, Force};
use super::error::chain;
use crate::config::prefix::parse_prefix;
use crate::model::{Ban, BanOrigin, BanScope, Generation, Mono, NodeName};

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Does the node answer?
    Ping {},
    Status {},
    BanList {},
    BanAdd {
        prefix: String,
        scope: String,
        /// None = until removed.
        ttl_s: Option<u32>,
        #[serde(default)]
        force: bool,
    },
    BanRemove {
        prefix: String,
        scope: String,
    },
}

/// What the node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    Done {},
    Bans { bans: Vec<BanLine> },
    Status(Status),
    Refused { error: String },
}

/// One ban as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanLine {
    pub scope: String,
    pub prefix: String,
    /// `rules` or `operator`.
    pub origin: String,
    pub tenant: Option<u32>,
    /// None = until removed.
    pub expires_in_s: Option<u64>,
}

impl BanLine {
    pub fn new(ban: &Ban, now: Mono) -> Self {
        Self {
            scope: ban.scope.to_string(),
            prefix: ban.prefix.to_string(),
            origin: ban.origin.label().to_owned(),
            tenant: ban.tenant.map(|tenant| tenant.number()),
            expires_in_s: ban.expires.map(|expires| expires.since_ns(now).div_ceil(1_000_000_000)),
        }
    }
}

/// The node in one glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub node: String,
    pub generation: u64,
    pub workers: usize,
    pub tenants: usize,
    pub bans: usize,
    /// `filtering`, or `none` without the kernel half.
    pub kernel: String,
}

/// Answers requests for one node.
pub struct Control {
    pub node: NodeName,
    pub generation: Generation,
    pub workers: usize,
    pub tenants: usize,
    pub enforcer: Rc<RefCell<Enforcer>>,
}

impl Control {
    /// One line without its end in, one reply out.
    pub fn answer(&self, line: &[u8], now: Mono) -> Reply {
        match serde_json::from_slice::<Request>(line) {
            Ok(request) => self.obey(request, now),
            Err(error) => Reply::Refused { error: format!("no request of this node: {error}") },
        }
    }

    /// Does what a request asks.
    pub fn obey(&self, request: Request, now: Mono) -> Reply {
        self.try_to(request, now).unwrap_or_else(|error| Reply::Refused { error })
    }

    fn try_to(&self, request: Request, now: Mono) -> Result<Reply, String> {
        match request {
            Request::Ping {} => Ok(Reply::Done {}),
            Request::Status {} => Ok(Reply::Status(self.status())),
            Request::BanList {} => {
                let bans = self.enforcer.borrow().bans().list();
                Ok(Reply::Bans { bans: bans.iter().map(|ban| BanLine::new(ban, now)).collect() })
            }
            Request::BanAdd { prefix, scope, ttl_s, force } => {
                let ban = operator_ban(&prefix, &scope, ttl_s, now)?;
                let force = if force { Force::Yes } else { Force::No };
                let mut enforcer = self.enforcer.borrow_mut();
                let banned = enforcer.ban(ban, force);
                enforcer.publish();
                banned.map_err(|error| chain(&error))?;
                tracing::info!(prefix, scope, ttl_s, "banned by an operator");
                Ok(Reply::Done {})
            }
            Request::BanRemove { prefix, scope } => {
                let (net, parsed) = key(&prefix, &scope)?;
                self.enforcer.borrow_mut().unban(parsed, net).map_err(|error| chain(&error))?;
                tracing::info!(prefix, scope, "ban removed by an operator");
                Ok(Reply::Done {})
            }
        }
    }

    fn status(&self) -> Status {
        let enforcer = self.enforcer.borrow();
        Status {
            node: self.node.to_string(),
            generation: self.generation.0,
            workers: self.workers,
            tenants: self.tenants,
            bans: enforcer.bans().len(),
            kernel: if enforcer.filter().is_some() { "filtering" } else { "none" }.to_owned(),
        }
    }
}

/// An operator's ban out of its texts.
fn operator_ban(prefix: &str, scope: &str, ttl_s: Option<u32>, now: Mono) -> Result<Ban, String> {
    let (prefix, scope) = key(prefix, scope)?;
    let tenant = match scope {
        BanScope::Tenant(tenant) => Some(tenant),
        BanScope::Node | BanScope::Address(_) => None,
    };
    let expires = ttl_s.map(|ttl_s| now.plus_s(ttl_s));
    Ok(Ban { scope, prefix, origin: BanOrigin::Operator, tenant, expires })
}

fn key(prefix: &str, scope: &str) -> Result<(ipnet::IpNet, BanScope), String> {
    let net = parse_prefix(prefix).map_err(|error| format!("{prefix:?}: {error}"))?;
    let scope = scope.parse::<BanScope>().map_err(|error| error.to_string())?;
    Ok((net, scope))
}

#[cfg(test)]
pub(super) mod tests;

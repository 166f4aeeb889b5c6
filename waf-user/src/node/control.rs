//! The words of control.sock: one JSON request, one JSON reply; and what each request does. Bytes and sockets are not
//! known here.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use super::enforce::{Enforcer, Force};
use super::standing::{Facts, Phase, WithControl};
use super::sync::{Uplink, told};
use super::take_over::Handed;
use crate::config::prefix::parse_prefix;
use crate::model::{Ban, BanOrigin, BanScope, Mono, NodeName, chain};

/// The request in a line without its end.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(line).map_err(|error| format!("no request of this node: {error}"))
}

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
    /// Serve what a node.toml says now.
    Reload {
        /// Its absolute path; None = the file that is served.
        config: Option<String>,
    },
    /// Finish and end.
    Drain {},
    /// A new process wants to serve in this one's place; the conversation goes on (see [`super::take_over`]).
    TakeOver {},
    /// The new process serves: the old one may drain.
    Serving {},
}

/// What the node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    Done {},
    Bans { bans: Vec<BanLine> },
    Status(Status),
    Reloaded { generation: u64, tenants: usize, rules: usize },
    HandedOver(Handed),
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
    pub phase: Phase,
    pub generation: u64,
    pub workers: usize,
    pub tenants: usize,
    pub bans: usize,
    /// `filtering`, or `none` without the kernel half.
    pub kernel: String,
    /// None without [control].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<WithControl>,
}

/// What only the node's main task can do.
pub enum Order {
    Reload {
        config: Option<PathBuf>,
        reply: oneshot::Sender<Reply>,
    },
    Drain {
        reply: oneshot::Sender<Reply>,
    },
    /// The connection of the process that asks.
    TakeOver(UnixStream),
}

/// Orders waiting: operators come one at a time.
pub const ORDERS_MAX: usize = 16;

/// Answers requests for one node.
pub struct Control {
    pub node: NodeName,
    pub facts: Rc<Facts>,
    pub enforcer: Rc<RefCell<Enforcer>>,
    /// None where no node runs.
    pub orders: Option<mpsc::Sender<Order>>,
    /// None without [control].
    pub uplink: Option<Uplink>,
}

impl Control {
    /// Does what a request asks, or has it done.
    pub async fn answer(&self, request: Request, now: Mono) -> Reply {
        let (reply, answer) = oneshot::channel();
        let order = match request {
            Request::Reload { config } => Order::Reload { config: config.map(PathBuf::from), reply },
            Request::Drain {} => Order::Drain { reply },
            request => return self.obey(request, now),
        };
        if let Some(orders) = &self.orders
            && orders.send(order).await.is_ok()
            && let Ok(reply) = answer.await
        {
            return reply;
        }
        Reply::Refused { error: "the node is about to end".to_owned() }
    }

    /// Gives the connection of a process that wants to take over to the main task.
    pub async fn hand(&self, stream: UnixStream) {
        if let Some(orders) = &self.orders {
            // A node that ends drops the connection, which is an answer.
            let _ = orders.send(Order::TakeOver(stream)).await;
        }
    }

    /// Does what a request asks.
    pub fn obey(&self, request: Request, now: Mono) -> Reply {
        self.try_to(request, now).unwrap_or_else(|error| Reply::Refused { error })
    }

    fn try_to(&self, request: Request, now: Mono) -> Result<Reply, String> {
        match request {
            Request::Ping {} => Ok(Reply::Done {}),
            Request::Reload { .. } | Request::Drain {} | Request::TakeOver {} | Request::Serving {} => {
                Err("this asks for a running node, at this point of the conversation".to_owned())
            }
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
                let lifted = self.enforcer.borrow_mut().unban(parsed, net).map_err(|error| chain(&error))?;
                if let (Some(uplink), Some(lifted)) = (&self.uplink, told::lifted(&lifted)) {
                    let full =
                        |_| "lifted here, but control cannot be told now: use `waf ban remove --control`";
                    uplink.try_send(lifted).map_err(full)?;
                }
                tracing::info!(prefix, scope, "ban removed by an operator");
                Ok(Reply::Done {})
            }
        }
    }

    fn status(&self) -> Status {
        let enforcer = self.enforcer.borrow();
        Status {
            node: self.node.to_string(),
            phase: self.facts.phase.get(),
            generation: self.facts.generation.get().0,
            workers: self.facts.workers,
            tenants: self.facts.tenants.get(),
            bans: enforcer.bans().len(),
            kernel: if enforcer.filter().is_some() { "filtering" } else { "none" }.to_owned(),
            control: self.facts.control.borrow().clone(),
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

//! The two records: one a request, one an event. Plain owned data, formatted elsewhere.

use std::net::{IpAddr, SocketAddr};

use super::{EventId, Reason};
use crate::engine::RuleMatch;
use crate::model::{Mono, TenantId, Wall};

/// Where a refusal happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Kernel,
    Tls,
    Http,
    List,
    Rules,
    Origin,
}

/// One line of the request log.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    pub time: Wall,
    pub request_id: EventId,
    pub tenant: Option<TenantId>,
    pub client: SocketAddr,
    pub method: String,
    pub host: String,
    pub target: String,
    pub status: u16,
    /// `pass`, `deny`, `drop`, `redirect`, `error`.
    pub verdict: &'static str,
    pub score: i64,
    pub rules: Vec<u64>,
    pub inspect_us: u64,
    pub total_us: u64,
}

/// One refused or scored request, refused connection, or kernel drop sample.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: EventId,
    pub time: Wall,
    /// CLOCK_MONOTONIC of the refusal, to compare with kernel samples.
    pub mono: Mono,
    pub tenant: Option<TenantId>,
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub stage: Stage,
    pub reason: Reason,
    /// False where a detect-mode tenant's request was passed all the same.
    pub refused: bool,
    pub status: Option<u16>,
    pub method: String,
    pub host: String,
    pub target: String,
    pub sni: Option<String>,
    pub score: i64,
    pub matches: Vec<RuleMatch>,
    /// The scope's address or the ban's prefix and the like: one sentence for operators.
    pub detail: String,
}

impl Event {
    /// Of a refused connection, a ban or a packet: nothing of it was read as a request. Tenant and detail are left to fill
    /// in.
    pub fn without_request(
        id: EventId,
        (time, mono): (Wall, Mono),
        (client, server): (SocketAddr, SocketAddr),
        (stage, reason): (Stage, Reason),
    ) -> Self {
        Self {
            id,
            time,
            mono,
            tenant: None,
            client,
            server,
            stage,
            reason,
            refused: true,
            status: None,
            method: String::new(),
            host: String::new(),
            target: String::new(),
            sni: None,
            score: 0,
            matches: Vec::new(),
            detail: String::new(),
        }
    }

    /// The source whose behaviour this is.
    pub fn source(&self) -> IpAddr {
        self.client.ip()
    }
}

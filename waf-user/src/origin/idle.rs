//! Idle keep-alive connections of one worker: bounded, by tenant, newest first. Never given to another tenant: what one
//! tenant's request left behind in a connection must not reach another's visitor.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::limits::{IDLE_FOR, IDLE_MAX, IDLE_PER_TENANT_MAX};
use super::stream::{Look, OriginStream};
use crate::config::OriginUrl;
use crate::model::TenantId;

/// One connection that waits for its next request.
#[derive(Debug)]
pub struct IdleConnection {
    pub origin: OriginUrl,
    pub address: SocketAddr,
    pub stream: OriginStream,
    pub since: Instant,
}

/// All of a worker.
#[derive(Debug, Default)]
pub struct IdleConnections {
    by_tenant: HashMap<TenantId, Vec<IdleConnection>>,
    len: usize,
}

impl IdleConnections {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Hot: per request. The newest connection of the tenant to the origin; dead and overdue ones met on the way are
    /// closed. O(n), n <= `IDLE_PER_TENANT_MAX`.
    pub fn take(
        &mut self,
        tenant: TenantId,
        origin: &OriginUrl,
        now: Instant,
        look: Look,
        mut permits: impl FnMut(SocketAddr) -> bool,
    ) -> Option<IdleConnection> {
        let connections = self.by_tenant.get_mut(&tenant)?;
        while let Some(at) = connections.iter().rposition(|idle| idle.origin == *origin) {
            let mut idle = connections.remove(at);
            self.len = self.len.saturating_sub(1);
            let is_young = now.duration_since(idle.since) < IDLE_FOR;
            if is_young && permits(idle.address) && idle.stream.is_quiet(look) {
                return Some(idle);
            }
        }
        None
    }

    /// Keeps a connection; where the tenant or the worker has its fill, the tenant's oldest goes, or else this one.
    pub fn put(&mut self, tenant: TenantId, idle: IdleConnection) {
        let connections = self.by_tenant.entry(tenant).or_default();
        if connections.len() >= IDLE_PER_TENANT_MAX || self.len >= IDLE_MAX {
            if connections.is_empty() {
                self.by_tenant.remove(&tenant);
                return;
            }
            connections.remove(0);
            self.len = self.len.saturating_sub(1);
        }
        connections.push(idle);
        self.len += 1;
    }

    /// Closes what has been idle for too long or is dead. O(n) with a system call each, n <= `IDLE_MAX`.
    pub fn sweep(&mut self, now: Instant) {
        self.by_tenant.retain(|_, connections| {
            connections.retain_mut(|idle| {
                now.duration_since(idle.since) < IDLE_FOR && idle.stream.is_quiet(Look::Now)
            });
            !connections.is_empty()
        });
        self.len = self.by_tenant.values().map(Vec::len).sum();
    }
}

//! A site's origins -> a connection that is ready for one request, reused or new. One pool a worker, used on its thread
//! only. What is sent over a connection, and whether a request may be sent again, is not known here.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::dial::Dialer;
use super::error::OriginError;
use super::idle::IdleConnections;
use super::lease::Lease;
use super::limits::{ATTEMPTS_MAX, TRY_FOR};
use super::resolve::Resolver;
use super::stream::Look;
use super::upstreams::Upstreams;
use crate::config::OriginUrl;
use crate::model::TenantId;
use crate::telemetry::{Metrics, OriginConnect};
use crate::tls::Connector;

/// Origin connections of one worker. Cheap to clone; not for other threads.
#[derive(Clone, Debug)]
pub struct Pool {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    idle: Rc<RefCell<IdleConnections>>,
    resolver: Resolver,
    dialer: Dialer,
    metrics: Arc<Metrics>,
}

/// Whether a connection that carried a request before may be given out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reuse {
    Idle(Look),
    Never,
}

impl Pool {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self::with_dialer(Dialer::new(Arc::clone(&metrics)), metrics)
    }

    /// A pool that trusts other roots than the browsers'.
    pub fn with_connector(metrics: Arc<Metrics>, connector: Connector) -> Self {
        Self::with_dialer(Dialer::with_connector(Arc::clone(&metrics), connector), metrics)
    }

    fn with_dialer(dialer: Dialer, metrics: Arc<Metrics>) -> Self {
        let inner = Inner { idle: Rc::default(), resolver: Resolver::default(), dialer, metrics };
        Self { inner: Rc::new(inner) }
    }

    /// A connection for one request, from the origin whose turn it is: an idle one of the tenant, else a new one; the
    /// next origin where it does not answer.
    ///
    /// # Errors
    /// The last failure, when all that were tried failed.
    pub async fn connect(&self, upstreams: &Upstreams, tenant: TenantId) -> Result<Lease, OriginError> {
        self.open(upstreams, tenant, Reuse::Idle(Look::Now)).await
    }

    /// The same for a request that can be sent again: should an idle connection die at this very moment, nothing is lost,
    /// so that the system need not be asked.
    ///
    /// # Errors
    /// The last failure.
    pub async fn connect_for_repeatable(
        &self,
        upstreams: &Upstreams,
        tenant: TenantId,
    ) -> Result<Lease, OriginError> {
        self.open(upstreams, tenant, Reuse::Idle(Look::Noticed)).await
    }

    /// The same without reuse: for a request that is sent again because a reused connection died.
    ///
    /// # Errors
    /// The last failure.
    pub async fn fresh(&self, upstreams: &Upstreams, tenant: TenantId) -> Result<Lease, OriginError> {
        self.open(upstreams, tenant, Reuse::Never).await
    }

    /// Closes connections that have been idle for too long, or that their origin closed. For a timer of the worker's:
    /// nobody else looks at what no visitor needs.
    pub fn sweep(&self) {
        self.inner.idle.borrow_mut().sweep(Instant::now());
    }

    /// Idle connections held.
    pub fn idle(&self) -> usize {
        self.inner.idle.borrow().len()
    }

    /// Tries the origins in turn, each with all its addresses; those that failed lately last.
    async fn open(
        &self,
        upstreams: &Upstreams,
        tenant: TenantId,
        reuse: Reuse,
    ) -> Result<Lease, OriginError> {
        let mut attempts = Attempts::new(self, upstreams, tenant);
        let mut put_off = Vec::new();
        for origin in upstreams.in_turn() {
            if let Reuse::Idle(look) = reuse
                && let Some(lease) = self.take_idle(upstreams, tenant, origin, look)
            {
                return Ok(lease);
            }
            attempts.is_over();
            let addresses = match self.inner.resolver.addresses(origin).await {
                Ok(addresses) => addresses,
                Err(source) => {
                    self.inner.metrics.origin(OriginConnect::ResolveFailed);
                    attempts.failure = OriginError::Resolve { origin: origin.clone(), source };
                    continue;
                }
            };
            for address in addresses {
                if self.inner.dialer.failed_lately(address) {
                    put_off.push((origin, address));
                } else if let Some(lease) = attempts.one(origin, address).await {
                    return Ok(lease);
                }
            }
        }
        for (origin, address) in put_off {
            if let Some(lease) = attempts.one(origin, address).await {
                return Ok(lease);
            }
        }
        Err(attempts.failure)
    }

    /// Hot: per request.
    fn take_idle(
        &self,
        upstreams: &Upstreams,
        tenant: TenantId,
        origin: &OriginUrl,
        look: Look,
    ) -> Option<Lease> {
        let permits = |address| upstreams.check(address).is_ok();
        let idle = self.inner.idle.borrow_mut().take(tenant, origin, Instant::now(), look, permits)?;
        self.inner.metrics.origin(OriginConnect::Reused);
        Some(Lease::of_idle(Rc::clone(&self.inner.idle), tenant, idle))
    }
}

/// The new connections tried for one request: few, and not for long, because the visitor waits.
struct Attempts<'a> {
    pool: &'a Pool,
    upstreams: &'a Upstreams,
    tenant: TenantId,
    left: usize,
    give_up: Option<Instant>,
    failure: OriginError,
}

impl<'a> Attempts<'a> {
    fn new(pool: &'a Pool, upstreams: &'a Upstreams, tenant: TenantId) -> Self {
        Self { pool, upstreams, tenant, left: ATTEMPTS_MAX, give_up: None, failure: OriginError::NoOrigin }
    }

    /// Whether the time is over. It begins with the first call.
    fn is_over(&mut self) -> bool {
        let now = Instant::now();
        now > *self.give_up.get_or_insert(now + TRY_FOR)
    }

    /// None: it failed, or there is no attempt left.
    async fn one(&mut self, origin: &OriginUrl, address: SocketAddr) -> Option<Lease> {
        if self.left == 0 || self.is_over() {
            return None;
        }
        self.left -= 1;
        let inner = &self.pool.inner;
        match inner.dialer.dial(self.upstreams, origin, address).await {
            Ok(stream) => {
                Some(Lease::of_new(Rc::clone(&inner.idle), self.tenant, origin.clone(), address, stream))
            }
            Err(error) => {
                self.failure = error;
                None
            }
        }
    }
}

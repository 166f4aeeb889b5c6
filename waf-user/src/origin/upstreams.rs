//! The origins of one site, in which order they are tried, and which addresses they may lie at.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ipnet::IpNet;

use super::policy::{self, Forbidden};
use crate::config::OriginUrl;

/// The origins of one site and what may be reached. Shared by all workers.
#[derive(Clone, Debug)]
pub struct Upstreams {
    origins: Vec<OriginUrl>,
    networks: Vec<IpNet>,
    own: Vec<SocketAddr>,
    /// Whose turn it is; wraps.
    turn: Arc<AtomicUsize>,
}

impl Upstreams {
    /// `networks`: private (or loopback) networks that origins may lie in.
    pub fn new(origins: Vec<OriginUrl>, networks: Vec<IpNet>) -> Self {
        Self { origins, networks, own: Vec::new(), turn: Arc::default() }
    }

    /// Adds the node's own service, node and admin addresses: no origin may lie there, that would be a loop or a way to
    /// the admin listener. Port 0 stands for every port.
    #[must_use]
    pub fn forbidding(mut self, own: Vec<SocketAddr>) -> Self {
        self.own.extend(own);
        self
    }

    pub fn origins(&self) -> &[OriginUrl] {
        &self.origins
    }

    /// Whether an address may be connected to.
    ///
    /// # Errors
    /// See [`Forbidden`].
    pub fn check(&self, address: SocketAddr) -> Result<(), Forbidden> {
        policy::check(address, &self.networks, &self.own)
    }

    /// Hot: per request. All origins once, beginning with the one whose turn it is.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &OriginUrl> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let first = turn.checked_rem(self.origins.len()).unwrap_or(0);
        self.origins.iter().cycle().skip(first).take(self.origins.len())
    }
}

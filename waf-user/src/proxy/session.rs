//! What one connection may do next, decided from heads, snapshot and lists alone. Sockets and clocks are elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;

use super::forwarding::Visitor;
use super::limits::REQUESTS_MAX;
use super::{ListVerdict, Lists, Misdirected, Site, Snapshot};
use crate::http::RequestHead;
use crate::model::{Ban, Mono};

/// One connection's state between requests.
#[derive(Debug)]
pub(super) struct Session {
    pub peer: SocketAddr,
    /// The service address and port.
    pub local: SocketAddr,
    /// Some: the connection is TLS and asked for this name.
    pub sni: Option<String>,
    /// The peer's address and our port as every request tells them to its origin.
    peer_text: String,
    port_text: String,
    served: u32,
}

/// What a request's head leads to.
#[derive(Debug)]
pub(super) enum Step {
    /// Inspect it and ask the site's origin.
    Serve { site: Arc<Site>, visitor: Visitor },
    /// Answer 421.
    Misdirected(Misdirected),
    /// A list refuses the peer: close without an answer.
    RefusePeer { site: Arc<Site>, visitor: Visitor, ban: Ban },
    /// The tenant has all that it may while the node has not enough for all: answer 429.
    OverContract { site: Arc<Site>, visitor: Visitor },
    /// A list refuses the visitor behind a trusted proxy: answer 403, the connection is the proxy's.
    RefuseVisitor { site: Arc<Site>, visitor: Visitor, ban: Ban },
}

impl Session {
    pub(super) fn new(peer: SocketAddr, local: SocketAddr, sni: Option<String>) -> Self {
        let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let (peer, local) = (canonical(peer), canonical(local));
        let (peer_text, port_text) = (peer.ip().to_string(), local.port().to_string());
        Self { peer, local, sni, peer_text, port_text, served: 0 }
    }

    pub(super) fn peer_text(&self) -> &str {
        &self.peer_text
    }

    pub(super) fn port_text(&self) -> &str {
        &self.port_text
    }

    /// Hot: per request.
    pub(super) fn admit(&self, head: &RequestHead, snapshot: &Snapshot, lists: &Lists, now: Mono) -> Step {
        let host = head.host().map_or("", |host| host.name());
        let site = match snapshot.sites.select(self.local, host, self.sni.as_deref()) {
            Ok(site) => Arc::clone(site),
            Err(misdirected) => return Step::Misdirected(misdirected),
        };
        let visitor = Visitor::of(self.peer, head.fields(), &site.trusted_proxies);
        let (destination, tenant) = (self.local.ip(), Some(site.tenant));
        if let ListVerdict::Refuse(ban) = lists.verdict(self.peer.ip(), destination, tenant, now) {
            return Step::RefusePeer { site, visitor, ban };
        }
        if visitor.behind_proxy
            && let ListVerdict::Refuse(ban) = lists.verdict(visitor.address.ip(), destination, tenant, now)
        {
            return Step::RefuseVisitor { site, visitor, ban };
        }
        if !site.allowance.requests.admit(now) {
            return Step::OverContract { site, visitor };
        }
        Step::Serve { site, visitor }
    }

    /// Counts a request; whether another may follow it.
    pub(super) fn keeps_alive(&mut self, head: &RequestHead, draining: bool) -> bool {
        self.served += 1;
        head.keeps_alive() && !draining && self.served < REQUESTS_MAX
    }

    /// Whether it is the connection's first request that is waited for.
    pub(super) fn is_fresh(&self) -> bool {
        self.served == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Parsed, parse_request_head};

    #[test]
    fn a_connection_serves_so_many_requests() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
        let Ok(Parsed::Complete(head, _)) = parse_request_head(bytes, &Limits::default()) else {
            panic!("a head")
        };
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut session = Session::new(peer, peer, None);
        assert!(session.is_fresh());
        for served in 1..REQUESTS_MAX {
            assert!(session.keeps_alive(&head, false), "{served}");
        }
        assert!(!session.keeps_alive(&head, false), "the last one");
        assert!(!Session::new(peer, peer, None).keeps_alive(&head, true), "a draining worker");
    }

    #[test]
    fn mapped_addresses_are_the_ipv4_they_mean() {
        let mapped = "[::ffff:192.0.2.1]:80".parse().expect("an address");
        let session = Session::new(mapped, mapped, None);
        assert_eq!((session.peer.to_string().as_str(), session.local), ("192.0.2.1:80", session.peer));
    }
}

//! Listening sockets of the workers. With the kernel half each worker has one, on a free loopback port that visitors
//! reach only through the SOCKETS map; without it each worker binds the real addresses of the services it serves.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::NodeError;
use super::services::ServicePlan;
use crate::proxy::Listener;

/// Connections waiting for accept; the kernel cuts it to net.core.somaxconn.
const BACKLOG: i32 = 4096;

/// One dual-stack listener: sk_lookup hands it the flows of every service, IPv4 ones too, whatever it is bound to.
///
/// # Errors
/// No IPv6 loopback address, or no free port.
pub fn behind_filter() -> Result<TcpListener, NodeError> {
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    bind(address, false).map_err(|source| NodeError::Listen { address, source })
}

/// The listeners of one worker on the real addresses; workers share a port by SO_REUSEPORT.
///
/// # Errors
/// An address that is not this machine's, or a port that needs privilege or is taken.
pub fn without_filter(plan: &ServicePlan, worker: u16) -> Result<Vec<Listener>, NodeError> {
    let mut listeners = Vec::new();
    for address in endpoints(plan, worker) {
        let socket = bind(address, true).map_err(|source| NodeError::Listen { address, source })?;
        listeners.push(Listener { socket });
    }
    Ok(listeners)
}

/// What a worker serves.
fn endpoints(plan: &ServicePlan, worker: u16) -> BTreeSet<SocketAddr> {
    let served = plan.endpoints().filter(|(_, workers)| workers.contains(&worker));
    served.map(|((address, port), _)| SocketAddr::new(address, port)).collect()
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if let IpAddr::V6(_) = address.ip() {
        socket.set_only_v6(shared)?;
    }
    if shared {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

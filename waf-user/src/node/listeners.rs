//! Listening sockets of the workers. With the kernel half each worker has one a family, on free loopback ports that
//! visitors reach only through the SOCKETS map; without it each worker binds the real addresses of the services it serves.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::NodeError;
use super::services::ServicePlan;
use crate::proxy::Listener;

/// Connections waiting for accept; the kernel cuts it to net.core.somaxconn.
const BACKLOG: i32 = 4096;

/// One listener a family: sk_lookup hands them the flows of every service, whatever they are bound to. Without IPv6
/// on this machine there is none for it.
///
/// # Errors
/// No free port.
pub fn behind_filter() -> Result<Vec<Listener>, NodeError> {
    let mut listeners = Vec::new();
    for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let address = SocketAddr::new(ip, 0);
        match bind(address, Port::Own) {
            Ok(socket) => listeners.push(Listener { socket }),
            Err(source) if ip.is_ipv6() && is_without_ipv6(&source) => {
                tracing::warn!("this machine has no IPv6 loopback address: IPv6 services are not served");
            }
            Err(source) => return Err(NodeError::Listen { address, source }),
        }
    }
    Ok(listeners)
}

/// IPv6 switched off (no such address) or not built in (no such family).
fn is_without_ipv6(error: &io::Error) -> bool {
    let errors = [nix::libc::EADDRNOTAVAIL, nix::libc::EAFNOSUPPORT];
    error.raw_os_error().is_some_and(|number| errors.contains(&number))
}

/// The listeners of one worker on the real addresses; workers share a port by SO_REUSEPORT.
///
/// # Errors
/// An address that is not this machine's, or a port that needs privilege or is taken.
pub fn without_filter(plan: &ServicePlan, worker: u16) -> Result<Vec<Listener>, NodeError> {
    let mut listeners = Vec::new();
    for address in endpoints(plan, worker) {
        let socket = bind(address, Port::Shared).map_err(|source| NodeError::Listen { address, source })?;
        listeners.push(Listener { socket });
    }
    Ok(listeners)
}

/// What a worker serves.
fn endpoints(plan: &ServicePlan, worker: u16) -> BTreeSet<SocketAddr> {
    let served = plan.endpoints().filter(|(_, workers)| workers.contains(&worker));
    served.map(|((address, port), _)| SocketAddr::new(address, port)).collect()
}

/// Whether other workers listen on the same port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Port {
    Own,
    Shared,
}

fn bind(address: SocketAddr, port: Port) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if let IpAddr::V6(_) = address.ip() {
        socket.set_only_v6(true)?;
    }
    if port == Port::Shared {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests;

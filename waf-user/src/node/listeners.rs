//! Listening sockets of the workers. With the kernel half each worker has one, on a free loopback port that visitors
//! reach only through the SOCKETS map; without it each worker binds the real addresses of the services it serves.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::NodeError;
use super::services::ServicePlan;
use crate::proxy::Listener;

/// Connections waiting for accept; the kernel cuts it to net.core.somaxconn.
const BACKLOG: i32 = 4096;

/// 127.0.0.1 as an IPv6 socket knows it. A socket bound to ::1 would become IPv6-only (inet6_bind), which sk_lookup may
/// not give IPv4 flows to; one bound to :: would answer on every address of the machine.
const LOOPBACK: Ipv6Addr = Ipv4Addr::LOCALHOST.to_ipv6_mapped();

/// One dual-stack listener: sk_lookup hands it the flows of every service, of both families, whatever it is bound to.
///
/// # Errors
/// No IPv6 in this kernel, or no free port.
pub fn behind_filter() -> Result<TcpListener, NodeError> {
    let address = SocketAddr::from((LOOPBACK, 0));
    bind(address, Stack::Dual).map_err(|source| NodeError::Listen { address, source })
}

/// The listeners of each worker on the real addresses; workers share a port by SO_REUSEPORT. What another process
/// handed over is used again, with the connections that wait in it: also more sockets than workers.
///
/// # Errors
/// An address that is not this machine's, or a port that needs privilege or is taken.
pub fn without_filter(
    plan: &ServicePlan,
    count: u16,
    inherited: Vec<TcpListener>,
) -> Result<Vec<Vec<Listener>>, NodeError> {
    let mut given: HashMap<SocketAddr, Vec<TcpListener>> = HashMap::new();
    for socket in inherited {
        // One whose address is not to be known serves nobody.
        if let Ok(address) = socket.local_addr() {
            given.entry(address).or_default().push(socket);
        }
    }
    let mut workers = Vec::new();
    for worker in 0..count {
        let mut listeners = Vec::new();
        for address in endpoints(plan, worker) {
            let socket = match given.get_mut(&address).and_then(Vec::pop) {
                Some(socket) => socket,
                None => bind(address, Stack::Own).map_err(|source| NodeError::Listen { address, source })?,
            };
            listeners.push(Listener { socket });
        }
        workers.push(listeners);
    }
    for (worker, listeners) in (0..count).zip(&mut workers) {
        for address in endpoints(plan, worker) {
            let left = given.remove(&address).unwrap_or_default();
            listeners.extend(left.into_iter().map(|socket| Listener { socket }));
        }
    }
    Ok(workers)
}

/// What a worker serves.
fn endpoints(plan: &ServicePlan, worker: u16) -> BTreeSet<SocketAddr> {
    let served = plan.endpoints().filter(|(_, workers)| workers.contains(&worker));
    served.map(|((address, port), _)| SocketAddr::new(address, port)).collect()
}

/// Families and sharing of a listener.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stack {
    /// Both families, one socket.
    Dual,
    /// The address's own family, shared by the workers.
    Own,
}

fn bind(address: SocketAddr, stack: Stack) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(stack == Stack::Own)?;
    }
    if stack == Stack::Own {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests;

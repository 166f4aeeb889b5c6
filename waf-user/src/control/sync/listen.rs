//! TCP connections of nodes -> one task each, as many as the limits allow. The listener's certificate is made here, anew
//! every day.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::SyncError;
use super::fleet::Fleet;
use super::limits::{
    CONNECTIONS_MAX, CONNECTIONS_OF_NODE_MAX, LISTENER_EVERY, STRANGERS_MAX, STRANGERS_OF_ADDRESS_MAX,
};
use super::line;
use super::seat::lock;
use crate::model::{Mono, Wall};
use crate::tls::{Identity, MutualAcceptor};

/// After the system had no descriptor for a connection.
const PAUSE: Duration = Duration::from_millis(50);

pub async fn listen(fleet: &Arc<Fleet>, listener: TcpListener) -> Result<Infallible, SyncError> {
    let (mut acceptor, mut made) = (acceptor(fleet)?, Mono::now());
    let (places, mut lines) = (Places::default(), JoinSet::new());
    loop {
        while lines.try_join_next().is_some() {}
        let (tcp, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection of a node can be taken at the moment");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let is_old = u128::from(Mono::now().since_ns(made)) >= LISTENER_EVERY.as_nanos();
        if is_old {
            match self::acceptor(fleet) {
                Ok(newer) => (acceptor, made) = (newer, Mono::now()),
                // It is good for some days yet.
                Err(error) => tracing::error!(%error, "the certificate towards nodes is not renewed"),
            }
        }
        match places.stranger(from.ip()) {
            Some(place) if lines.len() < CONNECTIONS_MAX => {
                drop(lines.spawn(line::serve(Arc::clone(fleet), acceptor.clone(), (tcp, from), place)));
            }
            _ => tracing::warn!(%from, "too many connections to the listener towards nodes: closed"),
        }
    }
}

fn acceptor(fleet: &Fleet) -> Result<MutualAcceptor, SyncError> {
    let issued = fleet.authority.listener(Wall::now())?;
    let identity = Identity::from_pem(issued.chain_pem.as_bytes(), issued.key_pem.as_bytes())?;
    Ok(MutualAcceptor::new(fleet.authority.certificate_pem().as_bytes(), &identity)?)
}

/// How many connections there are from each network without a certificate, and of each node.
#[derive(Clone, Debug, Default)]
pub struct Places {
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    strangers: usize,
    of: HashMap<Who, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// An IPv4 address, or the first address of an IPv6 /64: so much any one machine has for itself.
    Stranger(IpAddr),
    Node(String),
}

/// One of them; given back when it goes.
#[derive(Debug)]
pub struct Place {
    places: Places,
    who: Who,
}

impl Places {
    /// None where there are too many.
    pub fn stranger(&self, of: IpAddr) -> Option<Place> {
        self.take(Who::Stranger(network(of)), STRANGERS_OF_ADDRESS_MAX)
    }

    fn take(&self, who: Who, own_max: usize) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let own = taken.of.get(&who).copied().unwrap_or(0);
        let is_stranger = matches!(who, Who::Stranger(_));
        if own >= own_max || (is_stranger && taken.strangers >= STRANGERS_MAX) {
            return None;
        }
        taken.strangers += usize::from(is_stranger);
        taken.of.insert(who.clone(), own + 1);
        Some(Place { places: self.clone(), who })
    }
}

impl Place {
    /// A place of the node that a certificate is of, in exchange; none where it has too many.
    pub fn of_node(self, name: &str) -> Option<Self> {
        self.places.take(Who::Node(name.to_owned()), CONNECTIONS_OF_NODE_MAX)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        taken.strangers -= usize::from(matches!(self.who, Who::Stranger(_)));
        if let Some(own) = taken.of.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.of.remove(&self.who);
            }
        }
    }
}

fn network(of: IpAddr) -> IpAddr {
    match of.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_takes_no_more_than_its_places() {
        let places = Places::default();
        let address = |at: usize| IpAddr::from([0x2001, 0xdb8, 0, 7, 0, 0, 0, at as u16]);
        let mut held: Vec<_> = (0..STRANGERS_OF_ADDRESS_MAX).map(|at| places.stranger(address(at))).collect();
        assert!(held.iter().all(Option::is_some) && places.stranger(address(9_999)).is_none());
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert!(places.stranger(mapped).is_some(), "another machine");
        let nodes: Vec<_> =
            (0..CONNECTIONS_OF_NODE_MAX).map(|_| held.pop().unwrap().unwrap().of_node("a1")).collect();
        assert!(nodes.iter().all(Option::is_some));
        assert!(held.pop().unwrap().unwrap().of_node("a1").is_none());
        assert!(held.pop().unwrap().unwrap().of_node("a2").is_some(), "another node");
        drop((held, nodes));
        let taken = lock(&places.taken);
        assert_eq!((taken.strangers, taken.of.len()), (0, 0), "all is given back");
    }
}

//! TCP connections of nodes -> one task each, as many as the limits allow. The listener's certificate is made here, anew
//! every day.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::SyncError;
use super::fleet::Fleet;
use super::limits::{CONNECTIONS_MAX, LISTENER_EVERY, STRANGERS_MAX, STRANGERS_OF_ADDRESS_MAX};
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

/// How many connections without a certificate there are from each address.
#[derive(Clone, Debug, Default)]
pub struct Places {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One of them; given back when it goes.
#[derive(Debug)]
pub struct Place {
    places: Places,
    of: IpAddr,
}

impl Places {
    /// None where there are too many. O(addresses), which are few.
    pub fn stranger(&self, of: IpAddr) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let (all, own) = (taken.values().sum::<usize>(), taken.get(&of).copied().unwrap_or(0));
        if all >= STRANGERS_MAX || own >= STRANGERS_OF_ADDRESS_MAX {
            return None;
        }
        taken.insert(of, own + 1);
        Some(Place { places: self.clone(), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        if let Some(own) = taken.get_mut(&self.of) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.of);
            }
        }
    }
}

//! TCP connections of nodes -> one task each, as many as the limits allow. The listener's certificate is made here, anew
//! every day.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::SyncError;
use super::fleet::Fleet;
use super::limits::{
    CONNECTIONS_MAX, CONNECTIONS_OF_NODE_MAX, LISTENER_EVERY, STRANGERS_MAX, STRANGERS_OF_ADDRESS_MAX,
};
use super::line;
use crate::control::places::{Places, Refusals, network};
use crate::model::{Mono, Wall};
use crate::tls::{Identity, MutualAcceptor};

/// After the system had no descriptor for a connection.
const PAUSE: Duration = Duration::from_millis(50);

pub async fn listen(fleet: &Arc<Fleet>, listener: TcpListener) -> Result<Infallible, SyncError> {
    let (mut acceptor, mut made) = (acceptor(fleet)?, Mono::now());
    let strangers = Places::new(STRANGERS_MAX, STRANGERS_OF_ADDRESS_MAX);
    let nodes = Places::new(CONNECTIONS_MAX, CONNECTIONS_OF_NODE_MAX);
    let (mut refusals, mut lines) = (Refusals::default(), JoinSet::new());
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
        match strangers.take(network(from.ip())) {
            Some(place) if lines.len() < CONNECTIONS_MAX => {
                let rooms = (place, nodes.clone());
                drop(lines.spawn(line::serve(Arc::clone(fleet), acceptor.clone(), (tcp, from), rooms)));
            }
            _ => {
                if let Some(count) = refusals.count(Mono::now()) {
                    tracing::warn!(%from, count, "too many connections to the listener towards nodes: closed");
                }
            }
        }
    }
}

fn acceptor(fleet: &Fleet) -> Result<MutualAcceptor, SyncError> {
    let issued = fleet.authority.listener(Wall::now())?;
    let identity = Identity::from_pem(issued.chain_pem.as_bytes(), issued.key_pem.as_bytes())?;
    Ok(MutualAcceptor::new(fleet.authority.certificate_pem().as_bytes(), &identity)?)
}

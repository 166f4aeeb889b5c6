//! One connection, from TLS to its end: HTTP/2 with its bounds and pings, a task for each request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use h2::{Ping, PingPong};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::call;
use super::fleet::Fleet;
use super::limits::{HEADER_BYTES_MAX, REQUESTS_MAX, Times, WINDOW_BYTES};
use crate::control::places::{Place, Places};
use crate::model::chain;
use crate::tls::{MutualAcceptor, Peer, TlsStream};

type Connection = h2::server::Connection<TlsStream, Bytes>;

/// Serves one connection to its end.
pub async fn serve(
    fleet: Arc<Fleet>,
    acceptor: MutualAcceptor,
    (tcp, from): (TcpStream, SocketAddr),
    (place, nodes): (Place<IpAddr>, Places<String>),
) {
    // Without it a small message waits for the answer to the one before.
    let _ = tcp.set_nodelay(true);
    let (tls, peer) = match acceptor.accept(tcp, fleet.times.handshake).await {
        Ok(accepted) => accepted,
        Err(error) => return tracing::info!(%from, error = chain(&error), "no TLS with a node"),
    };
    let connection = match timeout(fleet.times.handshake, builder().handshake(tls)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::info!(%from, %error, "no HTTP/2 with a node"),
        Err(_late) => return tracing::info!(%from, "no HTTP/2 with a node within its time"),
    };
    match peer {
        Some(peer) => {
            drop(place);
            let Some(_place) = nodes.take(peer.name.clone()) else {
                return tracing::warn!(%from, node = peer.name, "too many connections of one node: closed");
            };
            requests(&fleet, connection, Some(&peer)).await;
        }
        // Without a certificate there is one thing to ask.
        None => drop(timeout(3 * fleet.times.request, requests(&fleet, connection, None)).await),
    }
}

fn builder() -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(REQUESTS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    builder
}

async fn requests(fleet: &Arc<Fleet>, mut connection: Connection, peer: Option<&Peer>) {
    let pings = connection.ping_pong();
    let silent = async {
        match pings {
            Some(pings) => is_silent(pings, &fleet.times).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(silent);
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    drop(answers.spawn(call::answer(Arc::clone(fleet), peer.cloned(), request, respond)));
                }
                Some(Err(_)) | None => return,
            },
            Some(_ended) = answers.join_next() => {}
            () = &mut silent => return tracing::info!(?peer, "a node answers no ping: its connection is closed"),
            // It asks for nothing.
            () = sleep(fleet.times.request), if answers.is_empty() => return,
        }
    }
}

/// Returns when a ping was not answered in time.
async fn is_silent(mut pings: PingPong, times: &Times) {
    loop {
        sleep(times.ping).await;
        match timeout(times.pong, pings.ping(Ping::opaque())).await {
            Ok(Ok(_pong)) => {}
            _ => return,
        }
    }
}

//! TCP connections -> requests of the API over TLS, each step within a time, none without a bound. What is asked is not
//! known here.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::told;
use crate::control::places::{Places, Refusals, network};
use crate::model::Mono;
use crate::tls::PlainAcceptor;

/// Connections at once: programs of operators and customers, some hundred of each. The next one is closed.
const CONNECTIONS_MAX: usize = 1_000;
/// Of one IPv4 address or IPv6 /64: whoever keeps connections open without asking leaves room for the others.
const CONNECTIONS_OF_ADDRESS_MAX: usize = 100;
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may be silent before a request's head is whole.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long a client may take none of the bytes that it is sent (TCP_USER_TIMEOUT, tcp(7)): one that asks and does not read
/// would keep its connection for ever.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// Bytes of a request's head and of what is read at once.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long requests under way may take once we are told to end.
const END_WITHIN: Duration = Duration::from_secs(10);
/// After an accept that failed for want of something (descriptors, memory), which comes back.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Serves until told to end, then what is under way.
pub(super) async fn serve(
    tcp: TcpListener,
    acceptor: watch::Receiver<PlainAcceptor>,
    router: Router,
    end: watch::Receiver<bool>,
) {
    let places = Places::new(CONNECTIONS_MAX, CONNECTIONS_OF_ADDRESS_MAX);
    let (mut refusals, mut connections) = (Refusals::default(), JoinSet::new());
    loop {
        let accepted = tokio::select! {
            accepted = tcp.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = told(end.clone()) => break,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the API cannot take a connection");
                tokio::time::sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        let Some(place) = places.take(network(from.ip())) else {
            if let Some(count) = refusals.count(Mono::now()) {
                tracing::warn!(%from, count, "too many connections to the API: closed");
            }
            continue;
        };
        let (acceptor, router, end) = (acceptor.borrow().clone(), router.clone(), end.clone());
        connections.spawn(async move {
            connection(stream, acceptor, router, end).await;
            drop(place);
        });
    }
    drop(tcp);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(END_WITHIN, all).await.is_err() {
        tracing::warn!("requests under way are cut off; what they change is finished");
    }
}

async fn connection(stream: TcpStream, acceptor: PlainAcceptor, router: Router, end: watch::Receiver<bool>) {
    let peer = stream.peer_addr().ok();
    if let Err(error) = SockRef::from(&stream).set_tcp_user_timeout(Some(TAKEN_WITHIN)) {
        return tracing::debug!(?peer, %error, "a client of the API broke off");
    }
    let accepted = tokio::select! {
        accepted = acceptor.accept(stream, HANDSHAKE_WITHIN) => accepted,
        () = told(end.clone()) => return,
    };
    let stream = match accepted {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(
                ?peer,
                error = &error as &dyn std::error::Error,
                "no TLS with a client of the API"
            );
            return;
        }
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(end.clone()) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(?peer, error = &error as &dyn std::error::Error, "a client of the API broke off");
    }
}

//! A worker's listening socket -> connections, each a task of its own.

use std::io;
use std::rc::Rc;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::account::{Fault, connection_refused};
use super::limits::{ACCEPT_PAUSE, QUEUE_QUIET, QUEUE_WITHIN};
use super::registry::Registry;
use super::session::Session;
use super::worker::Worker;
use super::{Listener, connection};
use crate::event::{Reason, Stage};

/// Accepts until the task is dropped or the worker drains.
pub(super) async fn accept(worker: Rc<Worker>, listener: Listener) {
    let listener = match TcpListener::from_std(listener.socket) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(worker = worker.index, %error, "register a listening socket");
            return;
        }
    };
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => admit(&worker, stream, peer),
                Err(error) if is_peers(&error) => {}
                Err(error) => {
                    tracing::warn!(worker = worker.index, %error, "accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = worker.registry.accepts_no_more() => {}
        () = accept => {}
    }
    // Closing the socket would reset what the kernel has queued.
    let until = Instant::now() + QUEUE_WITHIN;
    while Instant::now() < until
        && let Ok(Ok((stream, peer))) = timeout(QUEUE_QUIET, listener.accept()).await
    {
        admit(&worker, stream, peer);
    }
}

/// Starts a connection's task, or refuses it if the worker holds too many.
fn admit(worker: &Rc<Worker>, stream: TcpStream, peer: std::net::SocketAddr) {
    // The peer is gone before it was served: nobody to tell.
    let Ok(local) = stream.local_addr() else { return };
    if worker.registry.len() >= worker.connections_max {
        let fault = Fault::new(Stage::Http, Reason::Overloaded, "the worker holds its most connections");
        connection_refused(worker, &Session::new(peer, local, None), None, fault);
        return;
    }
    // Before its task runs: many may be accepted until then.
    let entry = Registry::enter(&worker.registry, peer, local);
    tokio::task::spawn_local(connection::run(Rc::clone(worker), entry, stream, (peer, local)));
}

/// Errors of a connection that was in the queue, not of the listener (accept(2)).
fn is_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

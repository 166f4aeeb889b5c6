//! The serving process's side: leaves what only one process can have, waits until the other serves, or takes it back.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;

use super::super::control::{self, Reply, Request};
use super::super::control_sock;
use super::super::kernel_half::open_maps;
use super::super::outward::Outward;
use super::super::reload::Reloader;
use super::super::standing::{Phase, Standing};
use super::{Handed, pass};

use crate::model::chain;

/// From `handed-over` to `serving`: starting workers and writing maps. Until then no ban reaches the kernel.
const SERVING_WITHIN: Duration = Duration::from_secs(30);
/// Our own place on control.sock is free again once the other process has ended.
const BACK_TRIES: u32 = 40;
const BACK_EVERY: Duration = Duration::from_millis(250);

/// Whether the other process serves now.
pub(in super::super) async fn give(
    standing: &Standing,
    reloader: &Reloader,
    outward: &mut Outward,
    mut stream: UnixStream,
) -> bool {
    reloader.settled().await;
    standing.facts.phase.set(Phase::HandingOver);
    standing.enforcer.borrow_mut().release();
    outward.close().await;
    tracing::info!("another process takes over");
    match converse(standing, &mut stream).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "the other process does not serve: this one goes on");
            drop(stream);
            take_back(standing, outward).await;
            false
        }
    }
}

async fn converse(standing: &Standing, stream: &mut UnixStream) -> io::Result<()> {
    let handed = Handed::of(
        &mut standing.enforcer.borrow_mut(),
        &standing.feedback.borrow(),
        standing.facts.generation.get(),
    );
    let sockets = passed(standing)?;
    pass::send(stream, &sockets.iter().collect::<Vec<_>>()).await?;
    control_sock::write(stream, &Reply::HandedOver(handed)).await?;
    drop(sockets);
    let line = tokio::time::timeout(SERVING_WITHIN, control_sock::read_line(stream)).await??;
    match control::parse(&line.ok_or(io::ErrorKind::UnexpectedEof)?) {
        Ok(Request::Serving {}) => {}
        Ok(_) => return Err(io::Error::other("it asks for something else")),
        Err(error) => return Err(io::Error::other(error)),
    }
    // Whether it hears this or not, it serves.
    let _ = control_sock::write(stream, &Reply::Done {}).await;
    Ok(())
}

/// With the kernel half the new process has sockets of its own, and SOCKETS leads to them.
fn passed(standing: &Standing) -> io::Result<Vec<std::net::TcpListener>> {
    if standing.settings.borrow().interface.is_some() {
        return Ok(Vec::new());
    }
    standing.sockets.borrow().iter().flatten().map(std::net::TcpListener::try_clone).collect()
}

/// As after a start, but for the connections and bans that are there. What fails is told and left: serving goes on.
async fn take_back(standing: &Standing, outward: &mut Outward) {
    if standing.settings.borrow().interface.is_some() {
        match open_maps(&standing.settings.borrow(), &standing.path.borrow()) {
            Ok(maps) => standing.enforcer.borrow_mut().reopen(Box::new(Arc::new(maps))),
            Err(error) => tracing::error!(error = chain(&error), "kernel's maps not opened again"),
        }
    }
    if let Err(error) = standing.take_up() {
        tracing::error!(error = chain(&error), "kernel's maps hold parts of another process's state");
    }
    standing.facts.phase.set(Phase::Serving);
    for _ in 0..BACK_TRIES {
        match outward.open().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(error = chain(&error), "listen for operators again"),
        }
        tokio::time::sleep(BACK_EVERY).await;
    }
    tracing::error!("no control.sock and no admin listener: restart this node when you can");
}

//! Life and end of a node: start or take over, serve until told to stop or another process takes over, drain.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};

use super::control::{ORDERS_MAX, Order, Reply};
use super::control_sock::ControlSocket;
use super::drain::{Ending, cut_off, drain};
use super::kernel_half::{KernelHalf, open_kernel, open_maps};
use super::outward::{Outward, Rings, bind_admin};
use super::reload::{Reloaded, Reloader};
use super::shares;
use super::signals::{Signals, Told};
use super::standing::Standing;
use super::start::{Inherited, Prepared, prepare, start};
use super::sync::client::Client;
use super::take_over::give::give;
use super::take_over::take::{self, Taken};
use super::workers::Worker;
use super::{NodeError, user};
use crate::config::{NodeConfig, NodeSettings, check_interface};
use crate::event::Journal;
use crate::model::{Mono, chain};

/// How often bans that ran out are taken away.
const REAP_EVERY: Duration = Duration::from_secs(1);

/// How a process comes to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// No node of this configuration runs.
    Fresh,
    /// In the place of the one that runs.
    TakeOver,
}

/// Serves until SIGTERM, SIGINT, `drain` or a take-over, then drains. `path` is node.toml's.
///
/// # Errors
/// See [`NodeError`]; nothing is served after one.
pub fn run(settings: &NodeSettings, config: NodeConfig, path: &Path, how: Start) -> Result<(), NodeError> {
    user::check_user(settings)?;
    check_interface(settings).map_err(Box::new)?;
    let kernel = open_kernel(settings, path)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(&settings.state_dir)
        .map_err(|source| NodeError::StateDir { path: settings.state_dir.clone(), source })?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(NodeError::Thread)?;
    LocalSet::new().block_on(&runtime, live((settings, config, path), kernel, how))
}

async fn live(
    (settings, config, path): (&NodeSettings, NodeConfig, &Path),
    kernel: Option<KernelHalf>,
    how: Start,
) -> Result<(), NodeError> {
    let mut signals = Signals::new()?;
    let (socket, prepared, taken) = enter(settings, &config, how)?;
    let xdp_mode = kernel.as_ref().map(|kernel| kernel.xdp_mode);
    let maps = match (kernel, &taken) {
        // The other process wrote until it was asked.
        (Some(_), Some(_)) => Some(open_maps(settings, path)?),
        (kernel, _) => kernel.map(|kernel| kernel.maps),
    };
    let admin = bind_admin(settings).await?;
    let rings = maps.as_ref().map(Rings::watch).transpose()?;
    let journal = prepared.journal.clone();
    let (inherited, taken) = inherited(taken);
    let started = start((settings, config, path), prepared, maps.map(Arc::new), inherited)?;
    if let Some(taken) = taken {
        taken.confirm()?;
    }
    let standing = Rc::clone(&started.standing);
    let facts = &standing.facts;
    if let Some(mode) = xdp_mode {
        standing.metrics.xdp_mode(mode);
    }
    tracing::info!(
        node = %settings.name, carrier = %settings.carrier, generation = %facts.generation.get(),
        tenants = facts.tenants.get(), rules = started.rules, workers = facts.workers,
        kernel = xdp_mode.unwrap_or("none: real ports bound, no packet filtered"), "node serves"
    );
    let (orders, given) = mpsc::channel(ORDERS_MAX);
    let mut outward = Outward::new(Rc::clone(&standing), orders, journal.clone());
    outward.serve(socket, admin, rings, settings);
    tokio::task::spawn_local(started.reaction.run(started.observations));
    tokio::task::spawn_local(reap(Rc::clone(&standing)));
    tokio::task::spawn_local(shares::run(Rc::clone(&standing)));

    let (lost, mut waiting) = watch(started.workers);
    let mut life =
        Life { standing: &standing, signals: &mut signals, outward: &mut outward, journal: &journal };
    let reloader = Rc::new(Reloader::new(Rc::clone(&standing)));
    let synced = match settings.control.clone().zip(started.up) {
        Some((control, up)) => {
            if facts.waits.get() {
                tracing::warn!("control has sent nothing: no tenant is served, and the node is not ready");
            }
            let client = Client::new(Rc::clone(&standing), Rc::clone(&reloader), control)?;
            Some(tokio::task::spawn_local(client.run(up)))
        }
        None => None,
    };
    let ended = life.until_end(&reloader, given, lost).await;
    synced.iter().for_each(JoinHandle::abort);
    let ending = ended.as_ref().copied().unwrap_or(Ending::Stopped);
    let is_hurried = tokio::select! {
        () = drain(ending, &standing, &started.commands, &mut waiting) => false,
        () = told_again(&mut signals) => true,
    };
    if is_hurried {
        tracing::warn!("told to stop once more: connections are cut off");
        cut_off(&started.commands, &mut waiting).await;
    }
    outward.close().await;
    if !journal.flush() {
        tracing::warn!("logs are not written whole");
    }
    tracing::info!("node stopped");
    ended.map(drop)
}

/// Everything that may fail before another process is disturbed, and our place on control.sock.
fn enter(
    settings: &NodeSettings,
    config: &NodeConfig,
    how: Start,
) -> Result<(ControlSocket, Prepared, Option<Taken>), NodeError> {
    match how {
        Start::Fresh => {
            let socket = ControlSocket::bind(&settings.state_dir)?;
            Ok((socket, prepare(settings, config, how)?, None))
        }
        Start::TakeOver => {
            let prepared = prepare(settings, config, how)?;
            let taken = take::ask(&settings.state_dir)?;
            Ok((ControlSocket::bind(&settings.state_dir)?, prepared, Some(taken)))
        }
    }
}

/// What the other process gave, apart from the conversation with it.
fn inherited(taken: Option<Taken>) -> (Inherited, Option<Taken>) {
    let Some(mut taken) = taken else { return (Inherited::default(), None) };
    let handed = std::mem::take(&mut taken.handed);
    (Inherited { handed, sockets: std::mem::take(&mut taken.sockets), lives_on: true }, Some(taken))
}

/// A node between start and end.
struct Life<'a> {
    standing: &'a Rc<Standing>,
    signals: &'a mut Signals,
    outward: &'a mut Outward,
    journal: &'a Journal,
}

impl Life<'_> {
    /// Obeys signals and orders until one of them is the last.
    async fn until_end(
        &mut self,
        reloader: &Rc<Reloader>,
        mut orders: mpsc::Receiver<Order>,
        mut lost: mpsc::Receiver<u16>,
    ) -> Result<Ending, NodeError> {
        loop {
            tokio::select! {
                told = self.signals.next() => match told {
                    Told::Stop => return Ok(Ending::Stopped),
                    Told::Reload => drop(tokio::task::spawn_local(reload(Rc::clone(reloader), None))),
                    Told::Reopen => {
                        self.journal.reopen();
                        tracing::info!("logs reopened");
                    }
                },
                Some(order) = orders.recv() => match order {
                    Order::Reload { config, reply } => {
                        let reloaded = reload(Rc::clone(reloader), config);
                        // A client that is gone finds the outcome in the log.
                        tokio::task::spawn_local(async move { drop(reply.send(reloaded.await)) });
                    }
                    Order::Drain { reply } => {
                        let _ = reply.send(Reply::Done {});
                        return Ok(Ending::Stopped);
                    }
                    Order::TakeOver(stream) => {
                        if give(self.standing, reloader, self.outward, stream).await {
                            return Ok(Ending::HandedOver);
                        }
                    }
                },
                worker = lost.recv() => return Err(NodeError::WorkerLost(worker.unwrap_or_default())),
            }
        }
    }
}

async fn reload(reloader: Rc<Reloader>, path: Option<std::path::PathBuf>) -> Reply {
    match reloader.reload(path).await {
        Ok(Reloaded { generation, tenants, rules }) => {
            Reply::Reloaded { generation: generation.0, tenants, rules }
        }
        Err(error) => Reply::Refused { error: chain(&error) },
    }
}

async fn told_again(signals: &mut Signals) {
    while signals.next().await != Told::Stop {}
}

async fn reap(standing: Rc<Standing>) {
    let mut ticks = tokio::time::interval(REAP_EVERY);
    loop {
        ticks.tick().await;
        let mut enforcer = standing.enforcer.borrow_mut();
        enforcer.reap(Mono::now());
        standing.metrics.bans_active(enforcer.bans().len());
    }
}

/// One waiting task a worker. A worker that ends is told of at once; while draining nobody listens to that.
fn watch(workers: Vec<Worker>) -> (mpsc::Receiver<u16>, Vec<JoinHandle<()>>) {
    let (tell, lost) = mpsc::channel(workers.len().max(1));
    let wait = |worker: Worker| {
        let tell = tell.clone();
        tokio::task::spawn_local(async move {
            if worker.ended.await.is_err() {
                tracing::error!(worker = worker.index, "worker panicked");
            }
            // Never full: it has a place for each worker.
            let _ = tell.try_send(worker.index);
        })
    };
    let waiting = workers.into_iter().map(wait).collect();
    (lost, waiting)
}

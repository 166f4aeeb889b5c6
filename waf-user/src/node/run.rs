//! Life and end of a node: start, serve until told to stop, drain.

use std::cell::{Cell, RefCell};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::Instant;

use super::admin;
use super::control::Control;
use super::control_sock::ControlSocket;
use super::enforce::Enforcer;
use super::filter::Filter;
use super::reports::Samples;
use super::scrape::Scrape;
use super::signals::Signals;
use super::start::{Started, start};
use super::workers::Worker;
use super::{NodeError, user};
use crate::config::{NodeConfig, NodeSettings, check_interface};
use crate::kernel::{Maps, check_loaded};
use crate::model::Mono;
use crate::proxy::Command;
use crate::telemetry::Metrics;

/// Requests under way get this long when the node ends; systemd's own patience is 90 s.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);
/// What a worker may take beyond it before it is left behind.
const DRAIN_GRACE: Duration = Duration::from_secs(1);
/// How often bans that ran out are taken away.
const REAP_EVERY: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT, then drains. `path` is node.toml's, for messages.
///
/// # Errors
/// See [`NodeError`]; nothing is served after one.
pub fn run(settings: &NodeSettings, config: NodeConfig, path: &Path) -> Result<(), NodeError> {
    user::check_user(settings)?;
    check_interface(settings).map_err(Box::new)?;
    let kernel = open_kernel(settings, path)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(&settings.state_dir)
        .map_err(|source| NodeError::StateDir { path: settings.state_dir.clone(), source })?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(NodeError::Thread)?;
    LocalSet::new().block_on(&runtime, live(settings, config, kernel))
}

async fn live(
    settings: &NodeSettings,
    config: NodeConfig,
    kernel: Option<KernelHalf>,
) -> Result<(), NodeError> {
    let mut signals = Signals::new()?;
    let socket = ControlSocket::bind(&settings.state_dir)?;
    let admin = bind_admin(settings).await?;
    let samples = match &kernel {
        Some(kernel) => Some(Samples::watch(kernel.maps.take_reports()?)?),
        None => None,
    };
    let xdp_mode = kernel.as_ref().map(|kernel| kernel.xdp_mode);
    let filter = kernel.map(|kernel| Box::new(kernel.maps) as Box<dyn Filter>);
    let started = start(settings, config, filter)?;
    let Started { generation, tenants, rules, workers, commands, enforcer, reaction, .. } = started;
    let (journal, metrics) = (started.journal, started.metrics);
    if let Some(mode) = xdp_mode {
        metrics.xdp_mode(mode);
    }
    let kernel = xdp_mode.unwrap_or("none: real ports bound, no packet filtered");
    let control = Control {
        node: settings.name.clone(),
        generation,
        workers: workers.len(),
        tenants,
        enforcer: Rc::clone(&enforcer),
    };
    tracing::info!(
        node = %settings.name, carrier = %settings.carrier, %generation, tenants, rules,
        workers = workers.len(), kernel, "node serves"
    );
    let ready = Rc::new(Cell::new(true));
    let scrape =
        Scrape { enforcer: Rc::clone(&enforcer), metrics: Arc::clone(&metrics), ready: Rc::clone(&ready) };
    if let Some(admin) = admin {
        tokio::task::spawn_local(admin::serve(admin, Rc::new(scrape)));
    }
    let control = tokio::task::spawn_local(socket.serve(control));
    tokio::task::spawn_local(reaction.run(started.observations));
    if let Some(samples) = samples {
        tokio::task::spawn_local(samples.run(journal.clone()));
    }
    tokio::task::spawn_local(reap(Rc::clone(&enforcer), metrics));

    let (mut lost, waiting) = watch(workers);
    let ended = tokio::select! {
        () = signals.until_stop(&journal) => Ok(()),
        worker = lost.recv() => Err(NodeError::WorkerLost(worker.unwrap_or_default())),
    };
    ready.set(false);
    tracing::info!(within_s = DRAIN_WITHIN.as_secs(), "node drains");
    drain(&enforcer, &commands, waiting).await;
    control.abort();
    // Until the task is gone its socket file is not.
    let _ = control.await;
    if !journal.flush() {
        tracing::warn!("logs are not written whole");
    }
    tracing::info!("node stopped");
    ended
}

/// The kernel half as the node uses it.
struct KernelHalf {
    maps: Maps,
    xdp_mode: &'static str,
}

/// The kernel half, where the settings ask for it. There is no way on without it.
fn open_kernel(settings: &NodeSettings, path: &Path) -> Result<Option<KernelHalf>, NodeError> {
    if settings.interface.is_none() {
        return Ok(None);
    }
    let config = || path.to_owned();
    let maps = Maps::open(&settings.name)
        .map_err(|source| NodeError::OpenMaps { config: config(), source: Box::new(source) })?;
    let xdp_mode = check_loaded(settings)
        .map_err(|source| NodeError::Loaded { config: config(), source: Box::new(source) })?;
    Ok(Some(KernelHalf { maps, xdp_mode }))
}

async fn bind_admin(settings: &NodeSettings) -> Result<Option<TcpListener>, NodeError> {
    let Some(address) = settings.admin.listen else { return Ok(None) };
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(source) => Err(NodeError::Admin { address, source }),
    }
}

async fn reap(enforcer: Rc<RefCell<Enforcer>>, metrics: Arc<Metrics>) {
    let mut ticks = tokio::time::interval(REAP_EVERY);
    loop {
        ticks.tick().await;
        let mut enforcer = enforcer.borrow_mut();
        enforcer.reap(Mono::now());
        metrics.bans_active(enforcer.bans().len());
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

async fn drain(
    enforcer: &RefCell<Enforcer>,
    commands: &[mpsc::Sender<Command>],
    waiting: Vec<JoinHandle<()>>,
) {
    enforcer.borrow().refuse_new();
    let deadline = Instant::now() + DRAIN_WITHIN + DRAIN_GRACE;
    for worker in commands {
        let order = worker.send(Command::Drain { within: DRAIN_WITHIN });
        // A worker that takes no command by the deadline is left behind; one that is gone needs none.
        let _ = tokio::time::timeout_at(deadline, order).await;
    }
    for ended in waiting {
        if tokio::time::timeout_at(deadline, ended).await.is_err() {
            tracing::warn!("worker left behind: it did not drain in time");
        }
    }
}

//! From configuration to a node that serves: everything is built before anything is visible, SERVICES is written once
//! the listeners stand, and the lists are published before the first worker runs.

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use waf_common::limits::SERVICES_MAX;

use super::enforce::Enforcer;
use super::feedback::Feedback;
use super::filter::Filter;
use super::kernel_sync::Sync;
use super::protect::Protected;
use super::react::{OBSERVATIONS_MAX, Reaction};
use super::services::ServicePlan;
use super::workers::{self, Worker};
use super::{NodeError, cpus, listeners, open_files, snapshot};
use crate::config::{NodeConfig, NodeSettings};
use crate::event::Journal;
use crate::model::{Generation, Mono};
use crate::proxy::limits::CONNECTIONS_MAX;
use crate::proxy::{Command, Listener, Lists, Observation, WorkerContext};
use crate::telemetry::Metrics;

/// Commands waiting in one worker: bans of one second at the most.
const COMMANDS_MAX: usize = 1024;

/// A node that serves.
pub(super) struct Started {
    pub generation: Generation,
    pub tenants: usize,
    pub rules: usize,
    pub workers: Vec<Worker>,
    pub commands: Vec<mpsc::Sender<Command>>,
    pub enforcer: Rc<RefCell<Enforcer>>,
    pub reaction: Reaction,
    pub observations: mpsc::Receiver<Observation>,
    pub journal: Journal,
    pub metrics: Arc<Metrics>,
}

/// # Errors
/// The first step that fails; a node that does not start serves nothing.
pub(super) fn start(
    settings: &NodeSettings,
    config: NodeConfig,
    filter: Option<Box<dyn Filter>>,
) -> Result<Started, NodeError> {
    let metrics = Arc::new(Metrics::default());
    let log = &settings.log;
    let journal = Journal::open(log.requests.as_deref(), log.events.as_deref(), Arc::clone(&metrics) as _)?;
    let generation = Generation::default().next();
    let built = snapshot::build(settings, &config, generation).map_err(Box::new)?;
    let cpus = cpus::allowed()?;
    let count = cpus::worker_count(settings.workers, cpus.len());
    check_workers(&config, count)?;
    let connections_max = connections_max(count);
    let previous = filter.as_ref().map(|filter| filter.services()).transpose()?.unwrap_or_default();
    let plan = ServicePlan::new(&config, count, &previous);
    if filter.is_some() {
        check_services(plan.services().len())?;
    }
    let bound = bind(&plan, count, filter.is_some())?;
    let adopted = match &filter {
        Some(filter) => {
            let workers = listening(&bound, &cpus);
            let (config, plan, workers, now) = (&config, &plan, &workers[..], Mono::now());
            Sync { settings, config, plan, generation, workers, now }.write(filter.as_ref())?
        }
        None => Vec::new(),
    };

    let (commands, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(COMMANDS_MAX)).unzip();
    let (observed, observations) = mpsc::channel(OBSERVATIONS_MAX);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    let feedback = Feedback::new(&config);
    let tenants = config.tenants.len();
    let protected = Protected::of_this_machine(settings, &config);
    let mut enforcer = Enforcer::new(config, plan, protected, Arc::clone(&lists), commands.clone(), filter);
    enforcer.adopt(adopted);
    let snapshot = Arc::new(ArcSwap::from_pointee(built.snapshot));
    let mut started = Vec::new();
    for (index, (own, commands)) in (0..count).zip(bound.into_iter().zip(receivers)) {
        let context = WorkerContext {
            index,
            connections_max,
            snapshot: Arc::clone(&snapshot),
            lists: Arc::clone(&lists),
            journal: journal.clone(),
            metrics: Arc::clone(&metrics),
            observations: observed.clone(),
            commands,
        };
        started.push(workers::start(own, context, cpus.get(usize::from(index)).copied())?);
    }
    metrics.generation(generation);
    let enforcer = Rc::new(RefCell::new(enforcer));
    let reaction = Reaction {
        feedback,
        enforcer: Rc::clone(&enforcer),
        journal: journal.clone(),
        metrics: Arc::clone(&metrics),
    };
    let (rules, workers) = (built.rules, started);
    Ok(Started {
        generation,
        tenants,
        rules,
        workers,
        commands,
        enforcer,
        reaction,
        observations,
        journal,
        metrics,
    })
}

/// How many connections each worker may hold; told of where that is less than it could.
fn connections_max(workers: u16) -> usize {
    let files = open_files::raise_limit().unwrap_or_else(|error| {
        tracing::warn!(%error, "limit of open files not raised");
        0
    });
    let each = open_files::connections_per_worker(files, workers);
    if each < CONNECTIONS_MAX {
        tracing::warn!(files, workers, each, "few open files allowed (LimitNOFILE=): fewer connections held");
    }
    each
}

/// Every worker's listeners, worker 0 first.
fn bind(plan: &ServicePlan, count: u16, filtered: bool) -> Result<Vec<Vec<Listener>>, NodeError> {
    (0..count)
        .map(|worker| match filtered {
            true => Ok(vec![Listener { socket: listeners::behind_filter()? }]),
            false => listeners::without_filter(plan, worker),
        })
        .collect()
}

/// The one listener of each worker behind the filter, and the CPU that the worker will be pinned to.
fn listening<'a>(bound: &'a [Vec<Listener>], cpus: &[usize]) -> Vec<(BorrowedFd<'a>, Option<usize>)> {
    let sockets = bound.iter().filter_map(|own| own.first()).map(|listener| listener.socket.as_fd());
    sockets.enumerate().map(|(worker, socket)| (socket, cpus.get(worker).copied())).collect()
}

/// Before anything is written: half of them would be served.
fn check_services(count: usize) -> Result<(), NodeError> {
    if count > SERVICES_MAX as usize { Err(NodeError::TooManyServices { count }) } else { Ok(()) }
}

/// Where `workers` is not set only the machine tells how many there are.
fn check_workers(config: &NodeConfig, count: u16) -> Result<(), NodeError> {
    for tenant in &config.tenants {
        if let Some(worker) = tenant.workers.iter().find(|worker| **worker >= count) {
            return Err(NodeError::NoSuchWorker { tenant: tenant.id.number(), worker: *worker, count });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_their_limit() {
        for (count, expected) in [(0, true), (40_960, true), (40_961, false)] {
            assert_eq!(check_services(count).is_ok(), expected, "{count}");
        }
    }
}

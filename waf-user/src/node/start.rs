//! From configuration to a node that serves: everything is built before anything is visible, the lists are published and
//! the workers run before the kernel's maps lead to them, and SERVICES is written last.

use std::cell::{Cell, RefCell};
use std::net::TcpListener;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use waf_common::limits::SERVICES_MAX;

use super::enforce::Enforcer;
use super::feedback::Feedback;
use super::filter::Filter;
use super::protect::Protected;
use super::react::{BATCHES_MAX, Reaction};
use super::services::ServicePlan;
use super::shelf::{Shelf, Signed};
use super::snapshot::{Built, Lasting};
use super::standing::{Facts, Phase, Standing, WithControl};
use super::sync::{Told, UPLINK_MAX};
use super::take_over::Handed;
use super::workers::{self, Worker};
use super::{NodeError, Start, cpus, listeners, open_files, snapshot};
use crate::config::{NodeConfig, NodeSettings, shipped};
use crate::event::Journal;
use crate::kernel::Maps;
use crate::model::{Generation, Mono, chain};
use crate::proxy::limits::CONNECTIONS_MAX;
use crate::proxy::{Command, Flows, Listener, Lists, Observation, WorkerContext};
use crate::telemetry::Metrics;

/// Commands waiting in one worker: bans of one second at the most.
const COMMANDS_MAX: usize = 1024;

/// What can fail before anybody is disturbed.
pub(super) struct Prepared {
    built: Built,
    lasting: Lasting,
    cpus: Vec<usize>,
    workers: u16,
    pub journal: Journal,
    metrics: Arc<Metrics>,
    config: NodeConfig,
    document: Option<Arc<Signed>>,
}

#[cfg(test)]
impl Prepared {
    /// Whether nothing is served before control says what.
    pub fn waits(&self) -> bool {
        self.document.is_none() && self.config.tenants.is_empty()
    }
}

/// What an earlier process left: nothing at a fresh start.
#[derive(Default)]
pub(super) struct Inherited {
    pub handed: Handed,
    pub sockets: Vec<TcpListener>,
    /// Its connections are still open.
    pub lives_on: bool,
}

/// A node that serves.
pub(super) struct Started {
    pub standing: Rc<Standing>,
    pub rules: usize,
    pub workers: Vec<Worker>,
    pub commands: Vec<mpsc::Sender<Command>>,
    pub reaction: Reaction,
    pub observations: mpsc::Receiver<Vec<Observation>>,
    /// What is to be told to control, where there is [control].
    pub up: Option<mpsc::Receiver<Told>>,
}

/// # Errors
/// What is wrong in files or with this machine.
pub(super) fn prepare(
    settings: &NodeSettings,
    config: &NodeConfig,
    how: Start,
) -> Result<Prepared, NodeError> {
    let metrics = Arc::new(Metrics::default());
    let log = &settings.log;
    let journal = Journal::open(log.requests.as_deref(), log.events.as_deref(), Arc::clone(&metrics) as _)?;
    let (lasting, document) = match settings.control {
        Some(_) => last_good(settings, how)?,
        None => (Lasting::default(), None),
    };
    let config = &match &document {
        Some(signed) => shipped::configure(settings, config, &signed.document).map_err(Box::new)?,
        None => config.clone(),
    };
    let built = snapshot::build(settings, config, Generation::default(), &lasting).map_err(Box::new)?;
    built.tell();
    let cpus = cpus::allowed()?;
    let workers = cpus::worker_count(settings.workers, cpus.len());
    check_workers(config, workers)?;
    Ok(Prepared { built, lasting, cpus, workers, journal, metrics, config: config.clone(), document })
}

/// The shelf of what control sent, and the document on it. A damaged one is not served: at a fresh start the node waits for
/// another; in the place of a node that serves it would only do worse.
fn last_good(settings: &NodeSettings, how: Start) -> Result<(Lasting, Option<Arc<Signed>>), NodeError> {
    let shelf = Shelf::open(&settings.state_dir)?;
    let document = match shelf.last_good(&shelf.fleet_key()?, settings.name.as_str()) {
        Err(error) if how == Start::Fresh && error.is_damage() => {
            tracing::error!(
                error = chain(&error),
                "nothing of control's is served until it sends a document"
            );
            None
        }
        document => document?,
    };
    Ok((Lasting::with_shelf(Arc::new(shelf)), document.map(Arc::new)))
}

/// # Errors
/// The first step that fails; a node that does not start serves nothing.
pub(super) fn start(
    (settings, local, path): (&NodeSettings, NodeConfig, &Path),
    prepared: Prepared,
    maps: Option<Arc<Maps>>,
    inherited: Inherited,
) -> Result<Started, NodeError> {
    let Prepared { built, lasting, cpus, workers: count, journal, metrics, config, document } = prepared;
    let Built { mut snapshot, rules, .. } = built;
    let flows = maps.clone().map(|maps| maps as Arc<dyn Flows>);
    let filter = maps.map(|maps| Box::new(maps) as Box<dyn Filter>);
    if let (Some(filter), false) = (&filter, inherited.lives_on) {
        filter.clear_flows()?;
    }
    let connections_max = connections_max(count);
    let generation = next_generation(filter.as_deref(), &inherited.handed)?;
    snapshot.generation = generation;
    let previous = filter.as_ref().map(|filter| filter.services()).transpose()?.unwrap_or_default();
    let plan = ServicePlan::new(&config, count, &previous);
    let bound = match filter {
        Some(_) => {
            check_services(plan.services().len())?;
            behind_filter(count)?
        }
        None => listeners::without_filter(&plan, count, inherited.sockets)?,
    };
    let sockets = second_handles(&bound).map_err(NodeError::Thread)?;

    let (commands, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(COMMANDS_MAX)).unzip();
    let (observed, observations) = mpsc::channel(BATCHES_MAX);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    let has_control = settings.control.is_some();
    let document_generation = document.as_ref().map(|signed| signed.generation);
    let facts = first_facts(generation, config.tenants.len(), count, (has_control, document_generation));
    let mut feedback = Feedback::new(&config);
    let protected = Protected::of_this_machine(settings, &config);
    let mut enforcer = Enforcer::new(config, plan, protected, Arc::clone(&lists), commands.clone(), filter);
    inherited.handed.tell(&mut enforcer, &mut feedback, Mono::now());
    let feedback = Rc::new(RefCell::new(feedback));
    let snapshot = Arc::new(ArcSwap::from_pointee(snapshot));
    let context = |(index, commands)| WorkerContext {
        index,
        connections_max,
        snapshot: Arc::clone(&snapshot),
        lists: Arc::clone(&lists),
        journal: journal.clone(),
        metrics: Arc::clone(&metrics),
        flows: flows.clone(),
        observations: observed.clone(),
        commands,
    };
    let workers = start_workers(bound, (0..count).zip(receivers).map(context), &cpus)?;
    metrics.generation(generation);
    if has_control {
        metrics.control_connected(false);
        metrics.document_served(document_generation.unwrap_or(0));
    }
    metrics.workers(count);
    let enforcer = Rc::new(RefCell::new(enforcer));
    let (uplink, up) = settings.control.as_ref().map(|_| mpsc::channel(UPLINK_MAX)).unzip();
    let reaction = Reaction {
        uplink: uplink.clone(),
        feedback: Rc::clone(&feedback),
        enforcer: Rc::clone(&enforcer),
        journal: journal.clone(),
        metrics: Arc::clone(&metrics),
    };
    let standing = Rc::new(Standing {
        facts: Rc::new(facts),
        settings: RefCell::new(settings.clone()),
        local: RefCell::new(local),
        document: RefCell::new(document),
        uplink,
        path: RefCell::new(path.to_owned()),
        snapshot,
        lasting,
        enforcer,
        feedback,
        metrics,
        journal: journal.clone(),
        commands: commands.clone(),
        observed: observed.downgrade(),
        sockets: RefCell::new(sockets),
        cpus,
    });
    standing.take_up()?;
    standing.facts.phase.set(Phase::Serving);
    Ok(Started { standing, rules, workers, commands, reaction, observations, up })
}

/// Before anything is served. `has_control`: with the generation of the document that lay on the shelf.
fn first_facts(
    generation: Generation,
    tenants: usize,
    workers: u16,
    (has_control, document_generation): (bool, Option<u64>),
) -> Facts {
    let with_control =
        || WithControl { generation: document_generation.unwrap_or(0), ..WithControl::default() };
    Facts {
        generation: Cell::new(generation),
        tenants: Cell::new(tenants),
        workers: usize::from(workers),
        phase: Cell::new(Phase::Starting),
        waits: Cell::new(has_control && document_generation.is_none()),
        control: RefCell::new(has_control.then(with_control)),
    }
}

/// One worker for each context, with its own listeners and CPU.
fn start_workers(
    bound: Vec<Vec<Listener>>,
    contexts: impl Iterator<Item = WorkerContext>,
    cpus: &[usize],
) -> Result<Vec<Worker>, NodeError> {
    let mut workers = Vec::new();
    for (own, context) in bound.into_iter().zip(contexts) {
        let cpu = cpus.get(usize::from(context.index)).copied();
        workers.push(workers::start(own, context, cpu)?);
    }
    Ok(workers)
}

/// Greater than that of every process before us that left word.
fn next_generation(filter: Option<&dyn Filter>, handed: &Handed) -> Result<Generation, NodeError> {
    let in_kernel = match filter {
        Some(filter) => {
            let config = filter.config()?;
            u64::from(config.generation_high) << 32 | u64::from(config.generation_low)
        }
        None => 0,
    };
    Ok(Generation(in_kernel.max(handed.generation)).next())
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

/// One listener a worker, worker 0 first.
fn behind_filter(count: u16) -> Result<Vec<Vec<Listener>>, NodeError> {
    (0..count).map(|_| Ok(vec![Listener { socket: listeners::behind_filter()? }])).collect()
}

fn second_handles(bound: &[Vec<Listener>]) -> std::io::Result<Vec<Vec<TcpListener>>> {
    let of_worker = |own: &Vec<Listener>| own.iter().map(|listener| listener.socket.try_clone()).collect();
    bound.iter().map(of_worker).collect()
}

/// Before anything is written: half of them would be served.
///
/// # Errors
/// There are more than the kernel half holds.
pub(super) fn check_services(count: usize) -> Result<(), NodeError> {
    if count > SERVICES_MAX as usize { Err(NodeError::TooManyServices { count }) } else { Ok(()) }
}

/// Where `workers` is not set only the machine tells how many there are.
///
/// # Errors
/// A tenant names a worker that there is not.
pub(super) fn check_workers(config: &NodeConfig, count: u16) -> Result<(), NodeError> {
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

//! Bans where no node runs: the kernel's block list outlives the node, and root may still change it. The next node
//! adopts what is left here.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use waf_common::limits::WORKERS_MAX;

use super::NodeError;
use super::control::{Control, Reply, Request};
use super::enforce::Enforcer;
use super::kernel_sync::adopt;
use super::protect::Protected;
use super::services::ServicePlan;
use crate::config::{NodeConfig, NodeSettings};
use crate::kernel::Maps;
use crate::model::Mono;
use crate::proxy::Lists;

/// Answers a request as the node would, with the maps of its pins and without workers. `path` is node.toml's.
///
/// # Errors
/// The pins are missing, or closed to the caller.
pub fn answer(
    settings: &NodeSettings,
    config: NodeConfig,
    request: Request,
    path: &Path,
) -> Result<Reply, NodeError> {
    let open = Maps::open(&settings.name);
    let maps =
        open.map_err(|source| NodeError::OpenMaps { config: path.to_owned(), source: Box::new(source) })?;
    let now = Mono::now();
    let workers = u16::try_from(WORKERS_MAX).unwrap_or(u16::MAX);
    let plan = ServicePlan::new(&config, workers, &maps.services()?);
    // What means nothing any more is the next node's to remove.
    let (adopted, _stale) = adopt(&maps.blocks(), &plan, &config, now);
    let protected = Protected::of_this_machine(settings, &config);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    let mut enforcer =
        Enforcer::new(config, plan, protected, lists, Vec::new(), Some(Box::new(Arc::new(maps))));
    enforcer.adopt(adopted);
    enforcer.write_alone();
    let enforcer = Rc::new(RefCell::new(enforcer));
    let control =
        Control { node: settings.name.clone(), facts: Rc::default(), enforcer, orders: None, uplink: None };
    Ok(control.obey(request, now))
}

//! A new node.toml -> the state that a running node serves from, without a connection noticing: everything is read and
//! built aside, then put in place at once. A configuration with a mistake changes nothing.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinError;

use super::enforce::Next;
use super::fixed;
use super::protect::Protected;
use super::services::ServicePlan;
use super::shelf::Signed;
use super::snapshot::{self, Built, SnapshotError};
use super::standing::{Phase, Standing};
use super::{NodeError, start};
use crate::config::{
    self, ConfigErrors, InterfaceError, NodeConfig, NodeSettings, ShippedError, check_interface, shipped,
};
use crate::kernel::KernelError;
use crate::model::{Generation, chain};

/// Why a configuration was not taken. The old one holds.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error("serve what control says")]
    Shipped(#[from] Box<ShippedError>),
    #[error(transparent)]
    Interface(#[from] Box<InterfaceError>),
    #[error(transparent)]
    Snapshot(#[from] Box<SnapshotError>),
    #[error(transparent)]
    Node(#[from] Box<NodeError>),
    #[error("a running node cannot take this over:\n{}", .0.join("\n"))]
    Fixed(Vec<String>),
    #[error("write the kernel's maps")]
    Write(#[from] KernelError),
    #[error("read the configuration on a thread of its own")]
    Thread(#[from] JoinError),
    #[error("the node is about to end")]
    Ending,
}

/// What is served now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloaded {
    pub generation: Generation,
    pub tenants: usize,
    pub rules: usize,
}

/// One reload at a time.
pub(super) struct Reloader {
    standing: Rc<Standing>,
    turn: Mutex<()>,
}

impl Reloader {
    pub fn new(standing: Rc<Standing>) -> Self {
        Self { standing, turn: Mutex::new(()) }
    }

    /// Waits until no reload is under way.
    pub async fn settled(&self) {
        drop(self.turn.lock().await);
    }

    /// Reads `path`, or the file that is served, and serves what it says. Tells the log and the metrics.
    ///
    /// # Errors
    /// See [`ReloadError`]; what was served is served on.
    pub async fn reload(&self, path: Option<PathBuf>) -> Result<Reloaded, ReloadError> {
        let _turn = self.turn.lock().await;
        let path = path.unwrap_or_else(|| self.standing.path.borrow().clone());
        let document = self.standing.document.borrow().clone();
        let reloaded = self.take(&path, document).await;
        self.tell(&reloaded, &path.display().to_string());
        reloaded
    }

    /// Serves what control says, beside what node.toml said when it was read last.
    ///
    /// # Errors
    /// See [`ReloadError`]; what was served is served on.
    pub async fn serve(&self, signed: Arc<Signed>) -> Result<Reloaded, ReloadError> {
        let _turn = self.turn.lock().await;
        let read = (self.standing.settings.borrow().clone(), self.standing.local.borrow().clone());
        let path = self.standing.path.borrow().clone();
        let reloaded = self.build(&path, Some(signed), move || Ok(read)).await;
        self.tell(&reloaded, "document of control");
        reloaded
    }

    fn tell(&self, reloaded: &Result<Reloaded, ReloadError>, file: &str) {
        self.standing.metrics.reload(reloaded.is_ok());
        match reloaded {
            Ok(Reloaded { generation, tenants, rules }) => {
                tracing::info!(%generation, tenants, rules, "configuration reloaded");
            }
            Err(error) => {
                tracing::error!(%file, "configuration refused, the old one is kept: {}", chain(error));
            }
        }
    }

    async fn take(&self, path: &Path, document: Option<Arc<Signed>>) -> Result<Reloaded, ReloadError> {
        let file = path.to_owned();
        self.build(path, document, move || read(&file)).await
    }

    async fn build(
        &self,
        path: &Path,
        document: Option<Arc<Signed>>,
        read: impl FnOnce() -> Result<(NodeSettings, NodeConfig), ReloadError> + Send + 'static,
    ) -> Result<Reloaded, ReloadError> {
        let generation = self.standing.facts.generation.get().next();
        // Compiling rules takes its time; bans and metrics go on meanwhile.
        let lasting = self.standing.lasting.clone();
        let shipped = document.clone();
        let built = tokio::task::spawn_blocking(move || {
            let (settings, local) = read()?;
            let config = match &shipped {
                Some(signed) => shipped::configure(&settings, &local, &signed.document).map_err(Box::new)?,
                None => local.clone(),
            };
            let built = snapshot::build(&settings, &config, generation, &lasting).map_err(Box::new)?;
            Ok::<_, ReloadError>((settings, local, config, built))
        });
        let (settings, local, config, built) = built.await??;
        built.tell();
        let reloaded = self.put(path, settings, config, built)?;
        *self.standing.local.borrow_mut() = local;
        self.standing.facts.waits.set(self.standing.facts.waits.get() && document.is_none());
        *self.standing.document.borrow_mut() = document;
        Ok(reloaded)
    }

    /// No other task runs from here to the end.
    fn put(
        &self,
        path: &Path,
        settings: NodeSettings,
        config: NodeConfig,
        built: Built,
    ) -> Result<Reloaded, ReloadError> {
        let standing = &self.standing;
        if standing.facts.phase.get() != Phase::Serving {
            return Err(ReloadError::Ending);
        }
        start::check_workers(&config, standing.workers()).map_err(Box::new)?;
        let mut refused = fixed::changed(&standing.settings.borrow(), &settings);
        let mut enforcer = standing.enforcer.borrow_mut();
        let plan = ServicePlan::new(&config, standing.workers(), &enforcer.plan().services());
        if settings.interface.is_some() {
            start::check_services(plan.services().len()).map_err(Box::new)?;
        } else {
            refused.extend(fixed::changed_listeners(enforcer.plan(), &plan));
        }
        if !refused.is_empty() {
            return Err(ReloadError::Fixed(refused));
        }
        let Built { snapshot, rules, .. } = built;
        let (generation, tenants) = (snapshot.generation, config.tenants.len());
        let protected = Protected::of_this_machine(&settings, &config);
        let (old, new) = (standing.snapshot.load_full(), Arc::new(snapshot));
        let serve = |is_new| standing.snapshot.store(Arc::clone(if is_new { &new } else { &old }));
        let next = Next { config, plan, protected, generation };
        let held = standing.settings.borrow();
        enforcer.replace((&*held, standing.facts.generation.get()), &settings, next, serve)?;
        drop(held);
        standing.feedback.borrow_mut().configure(enforcer.config());
        standing.facts.generation.set(generation);
        standing.facts.tenants.set(tenants);
        standing.metrics.generation(generation);
        *standing.settings.borrow_mut() = settings;
        *standing.path.borrow_mut() = path.to_owned();
        Ok(Reloaded { generation, tenants, rules })
    }
}

/// The same checks as `waf node --check`.
fn read(path: &Path) -> Result<(NodeSettings, NodeConfig), ReloadError> {
    let (settings, config) = config::load(path)?;
    check_interface(&settings).map_err(Box::new)?;
    Ok((settings, config))
}

//! What operators see of a node, and only one process at a time can have: control.sock, the admin listener, and the ring
//! of the kernel's samples. Opened, left to another process, opened again.

use std::rc::Rc;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::complaints::Complaints;
use super::control::{Control, Order};
use super::control_sock::ControlSocket;
use super::reports::Samples;
use super::scrape::Scrape;
use super::standing::Standing;
use super::{NodeError, admin};
use crate::config::NodeSettings;
use crate::event::Journal;
use crate::kernel::Maps;

/// The tasks that serve them.
pub(super) struct Outward {
    standing: Rc<Standing>,
    orders: mpsc::Sender<Order>,
    journal: Journal,
    tasks: Vec<JoinHandle<()>>,
}

impl Outward {
    /// Nothing is open yet.
    pub fn new(standing: Rc<Standing>, orders: mpsc::Sender<Order>, journal: Journal) -> Self {
        Self { standing, orders, journal, tasks: Vec::new() }
    }

    /// Opens all of it.
    ///
    /// # Errors
    /// Another process has it, or the kernel half is gone; then nothing of it is open.
    pub async fn open(&mut self) -> Result<(), NodeError> {
        let settings = self.standing.settings.borrow().clone();
        let socket = ControlSocket::bind(&settings.state_dir)?;
        let admin = bind_admin(&settings).await?;
        let rings = match settings.interface {
            Some(_) => Some(Rings::watch(&Maps::open(&settings.name)?)?),
            None => None,
        };
        self.serve(socket, admin, rings, &settings);
        Ok(())
    }

    /// Serves on what is open already.
    pub fn serve(
        &mut self,
        socket: ControlSocket,
        admin: Option<TcpListener>,
        rings: Option<Rings>,
        settings: &NodeSettings,
    ) {
        if let Some(Rings { samples, complaints }) = rings {
            let metrics = Arc::clone(&self.standing.metrics);
            self.tasks.push(tokio::task::spawn_local(samples.run(self.journal.clone(), metrics)));
            self.tasks.push(tokio::task::spawn_local(complaints.run()));
        }
        let control = Control {
            node: settings.name.clone(),
            facts: Rc::clone(&self.standing.facts),
            enforcer: Rc::clone(&self.standing.enforcer),
            orders: Some(self.orders.clone()),
            uplink: self.standing.uplink.clone(),
        };
        self.tasks.push(tokio::task::spawn_local(socket.serve(control)));
        if let Some(admin) = admin {
            let pages = Rc::new(Scrape::new(Rc::clone(&self.standing)));
            self.tasks.push(tokio::task::spawn_local(admin::serve(admin, pages)));
        }
    }

    /// Leaves all of it. What is being answered is answered.
    pub async fn close(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            // Until the task is gone its socket is not.
            let _ = task.await;
        }
    }
}

/// What the kernel half tells by itself; one reader at a time.
pub(super) struct Rings {
    samples: Samples,
    complaints: Complaints,
}

impl Rings {
    /// # Errors
    /// A ring cannot be opened or watched.
    pub fn watch(maps: &Maps) -> Result<Self, NodeError> {
        let samples = Samples::watch(maps.take_reports()?)?;
        Ok(Self { samples, complaints: Complaints::watch(maps.take_log()?)? })
    }
}

/// The admin listener, where the settings ask for one.
///
/// # Errors
/// The address is not ours or taken.
pub(super) async fn bind_admin(settings: &NodeSettings) -> Result<Option<TcpListener>, NodeError> {
    let Some(address) = settings.admin.listen else { return Ok(None) };
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(source) => Err(NodeError::Admin { address, source }),
    }
}

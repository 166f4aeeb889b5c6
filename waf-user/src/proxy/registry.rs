//! The open connections of a worker: who they are, and a way to end them. One thread, no lock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use tokio::sync::Notify;

use super::Lists;
use crate::model::{Ban, BanScope, TenantId};

/// Every open connection of the worker, and whether it drains.
#[derive(Debug, Default)]
pub(super) struct Registry {
    open: RefCell<HashMap<u64, Rc<Open>>>,
    next: Cell<u64>,
    draining: Cell<bool>,
    drain: Notify,
    empty: Notify,
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Open {
    peer: IpAddr,
    destination: IpAddr,
    /// Known from the address, from SNI or from the request served last.
    tenant: Cell<Option<TenantId>>,
    banned: RefCell<Option<Ban>>,
    close: Notify,
}

impl Open {
    pub(super) fn belongs_to(&self, tenant: TenantId) {
        self.tenant.set(Some(tenant));
    }

    /// Waits until a ban closes this connection; at once if one did. For one waiter at a time.
    pub(super) async fn closed(&self) -> Ban {
        loop {
            if let Some(ban) = self.banned.borrow().as_ref() {
                return ban.clone();
            }
            self.close.notified().await;
        }
    }
}

/// Keeps a connection in the registry; dropping it takes it out.
#[derive(Debug)]
pub(super) struct Entry {
    registry: Rc<Registry>,
    number: u64,
    open: Rc<Open>,
}

impl Entry {
    pub(super) fn open(&self) -> &Open {
        &self.open
    }
}

impl Registry {
    pub(super) fn enter(registry: &Rc<Self>, peer: SocketAddr, local: SocketAddr) -> Entry {
        let number = registry.next.get();
        registry.next.set(number.wrapping_add(1));
        let open = Rc::new(Open {
            peer: peer.ip().to_canonical(),
            destination: local.ip().to_canonical(),
            tenant: Cell::new(None),
            banned: RefCell::new(None),
            close: Notify::new(),
        });
        registry.open.borrow_mut().insert(number, Rc::clone(&open));
        Entry { registry: Rc::clone(registry), number, open }
    }

    pub(super) fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// Closes what a ban covers and no allow list spares: O(open connections), once a ban.
    pub(super) fn close_banned(&self, ban: &Ban, lists: &Lists) {
        for open in self.open.borrow().values() {
            let in_scope = match ban.scope {
                BanScope::Node => true,
                BanScope::Address(address) => address.to_canonical() == open.destination,
                BanScope::Tenant(tenant) => open.tenant.get() == Some(tenant),
            };
            let covered = in_scope && ban.prefix.contains(&open.peer);
            if covered && !lists.spare(open.peer, ban.scope, open.tenant.get()) {
                *open.banned.borrow_mut() = Some(ban.clone());
                open.close.notify_one();
            }
        }
    }

    pub(super) fn start_drain(&self) {
        self.draining.set(true);
        self.drain.notify_waiters();
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Waits for the drain to begin.
    pub(super) async fn drained(&self) {
        let notified = self.drain.notified();
        if !self.draining.get() {
            notified.await;
        }
    }

    /// Waits until no connection is open.
    pub(super) async fn emptied(&self) {
        while self.len() > 0 {
            self.empty.notified().await;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.open.borrow_mut().remove(&self.number);
        if self.registry.len() == 0 {
            self.registry.empty.notify_one();
        }
    }
}

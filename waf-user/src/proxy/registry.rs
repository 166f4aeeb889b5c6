//! The open connections of a worker: who they are, and a way to end them. One thread, no lock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::limits::FIRST_REQUEST;
use super::{Drain, Flows, ListVerdict, Lists};
use crate::model::{Ban, BanScope, Mono, TenantId};

/// Every open connection of the worker, and whether it drains.
#[derive(Default)]
pub(super) struct Registry {
    open: RefCell<HashMap<u64, Rc<Open>>>,
    next: Cell<u64>,
    /// Set once: when it began, and what was asked for.
    draining: Cell<Option<(Instant, Drain)>>,
    drain: Notify,
    empty: Notify,
}

/// One open connection.
pub(super) struct Open {
    peer: SocketAddr,
    service: SocketAddr,
    /// Set where the service's address does not tell the tenant.
    flows: RefCell<Option<Arc<dyn Flows>>>,
    /// Known from the address, from SNI or from the request served last.
    tenant: Cell<Option<TenantId>>,
    cut: RefCell<Option<Cut>>,
    /// Its task, while that waits for a ban or the drain.
    waiting: RefCell<Option<Waker>>,
}

/// Why a connection is ended from outside, whatever it has come to.
#[derive(Clone, Debug)]
pub(super) enum Cut {
    Banned(Ban),
    /// The drain's time is over.
    Drained,
}

impl Open {
    /// From the next tenant on the kernel half is told whose connection this is.
    pub(super) fn tells(&self, flows: Arc<dyn Flows>) {
        *self.flows.borrow_mut() = Some(flows);
    }

    /// Whether the kernel half was told of this connection.
    pub(super) fn is_told(&self) -> bool {
        self.tenant.get().is_some() && self.flows.borrow().is_some()
    }

    /// Whether the kernel half knows what it is to know.
    pub(super) fn belongs_to(&self, tenant: TenantId) -> bool {
        if self.tenant.replace(Some(tenant)) == Some(tenant) {
            return true;
        }
        self.flows.borrow().as_ref().is_none_or(|flows| flows.set(self.peer, self.service, tenant))
    }

    /// Waits until this connection is ended from outside; at once if it was. For the connection's own task.
    pub(super) async fn closed(&self) -> Cut {
        poll_fn(|cx| match self.cut.borrow().as_ref() {
            Some(cut) => Poll::Ready(cut.clone()),
            None => self.wait(cx),
        })
        .await
    }

    /// Hot: per poll. Remembers whom to wake.
    fn wait<T>(&self, cx: &Context<'_>) -> Poll<T> {
        let mut waiting = self.waiting.borrow_mut();
        match waiting.as_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *waiting = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn wake(&self) {
        if let Some(waker) = self.waiting.borrow_mut().take() {
            waker.wake();
        }
    }

    fn cut(&self, why: Cut) {
        *self.cut.borrow_mut() = Some(why);
        self.wake();
    }
}

/// Keeps a connection in the registry; dropping it takes it out.
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
            peer: canonical(peer),
            service: canonical(local),
            flows: RefCell::default(),
            tenant: Cell::new(None),
            cut: RefCell::new(None),
            waiting: RefCell::new(None),
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
                BanScope::Address(address) => address.to_canonical() == open.service.ip(),
                BanScope::Tenant(tenant) => open.tenant.get() == Some(tenant),
            };
            let covered = in_scope && ban.prefix.contains(&open.peer.ip());
            if covered && !lists.spare(open.peer.ip(), ban.scope, open.tenant.get()) {
                open.cut(Cut::Banned(ban.clone()));
            }
        }
    }

    /// Closes what the lists refuse: O(open connections), however many bans there are.
    pub(super) fn close_listed(&self, lists: &Lists, now: Mono) {
        for open in self.open.borrow().values() {
            let (source, destination) = (open.peer.ip(), open.service.ip());
            if let ListVerdict::Refuse(ban) = lists.verdict(source, destination, open.tenant.get(), now) {
                open.cut(Cut::Banned(ban));
            }
        }
    }

    /// Ends every connection.
    pub(super) fn cut_all(&self) {
        self.open.borrow().values().for_each(|open| open.cut(Cut::Drained));
    }

    pub(super) fn start_drain(&self, drain: Drain) {
        self.draining.set(Some((Instant::now(), drain)));
        self.drain.notify_waiters();
        self.open.borrow().values().for_each(|open| open.wake());
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.get().is_some()
    }

    /// Waits for the drain to begin.
    async fn drained(&self) -> (Instant, Drain) {
        loop {
            // Before the look: a drain that begins in between is not missed.
            let notified = self.drain.notified();
            if let Some(draining) = self.draining.get() {
                return draining;
            }
            notified.await;
        }
    }

    /// Waits until the drain accepts nothing more.
    pub(super) async fn accepts_no_more(&self) {
        let (began, drain) = self.drained().await;
        sleep_until(began + drain.accept).await;
    }

    /// Waits until the drain closes this kept connection; one that was never served, and waits since then, gets
    /// [`FIRST_REQUEST`] in any case, as it was accepted for the sake of a request under way. For the connection's own task.
    pub(super) async fn closes_idle(&self, open: &Open, fresh_since: Option<Instant>) {
        let (began, drain) = poll_fn(|cx| match self.draining.get() {
            Some(draining) => Poll::Ready(draining),
            None => open.wait(cx),
        })
        .await;
        let fresh = fresh_since.map_or(began, |since| since.max(began) + FIRST_REQUEST);
        sleep_until((began + drain.idle).max(fresh)).await;
    }

    /// Waits until no connection is open.
    pub(super) async fn emptied(&self) {
        while self.len() > 0 {
            self.empty.notified().await;
        }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.open.borrow_mut().remove(&self.number);
        if let (Some(flows), Some(_)) = (self.open.flows.borrow().as_ref(), self.open.tenant.get()) {
            flows.remove(self.open.peer, self.open.service);
        }
        if self.registry.len() == 0 {
            self.registry.empty.notify_one();
        }
    }
}

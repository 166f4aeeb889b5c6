//! The one arrow that turns back: what workers observed -> [`Feedback`] -> [`Enforcer`], with an event for each ban.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::enforce::{Enforcer, sentence};
use super::feedback::Feedback;
use super::sync::{Told, Uplink};
use crate::event::{Event, EventId, Journal, Reason, Stage};
use crate::model::{Ban, Mono, Wall};
use crate::proxy::Observation;
use crate::proxy::limits::OBSERVATIONS_HELD_MAX;
use crate::telemetry::Metrics;

/// Batches of observations waiting, 65,536 observations at the most: a second of them at a rate where nearly all are flood.
/// What finds no place is counted.
pub const BATCHES_MAX: usize = 65_536 / OBSERVATIONS_HELD_MAX;
/// Batches taken at once, before other tasks of the node have their turn.
const BATCHES: usize = 16;

/// Everything that reacting needs.
pub struct Reaction {
    pub feedback: Rc<RefCell<Feedback>>,
    pub enforcer: Rc<RefCell<Enforcer>>,
    pub journal: Journal,
    pub metrics: Arc<Metrics>,
    /// None without [control].
    pub uplink: Option<Uplink>,
}

impl Reaction {
    /// Runs until every worker is gone.
    pub async fn run(self, mut observations: mpsc::Receiver<Vec<Observation>>) {
        let mut batches = Vec::with_capacity(BATCHES);
        while observations.recv_many(&mut batches, BATCHES).await > 0 {
            for seen in batches.drain(..).flatten() {
                let ban = self.feedback.borrow_mut().observe(&seen);
                if let Some(ban) = ban {
                    self.enforce(ban, &seen);
                }
            }
            self.enforcer.borrow_mut().publish_soon();
            self.tell_metrics();
            tokio::task::yield_now().await;
        }
    }

    fn tell_metrics(&self) {
        let mut feedback = self.feedback.borrow_mut();
        self.metrics.feedback_sources(feedback.sources());
        self.metrics.feedback_sources_lost(feedback.take_lost());
        let mut enforcer = self.enforcer.borrow_mut();
        self.metrics.bans_active(enforcer.bans().len());
        let repeaters = enforcer.repeaters();
        self.metrics.repeaters(repeaters.count());
        self.metrics.repeaters_lost(repeaters.take_lost());
    }

    fn enforce(&self, ban: Ban, seen: &Observation) {
        let now = Mono::now();
        let (prefix, scope) = (ban.prefix, ban.scope);
        let made = self.enforcer.borrow_mut().ban_by_rules(ban, (seen.source, seen.destination), now);
        match made {
            // One line a ban would be a line a source of an attack: the event tells of it.
            Ok(Some(ban)) => {
                tracing::debug!(%prefix, scope = %ban.scope, "banned by rules");
                self.metrics.ban_made();
                if let Some(uplink) = &self.uplink
                    && uplink.try_send(Told::Banned(ban.clone())).is_err()
                {
                    // It holds here all the same.
                    self.metrics.untold();
                }
                self.journal.event(ban_event(&ban, seen.destination, now));
            }
            Ok(None) => {}
            // Nobody is banned: no event says so. The source may come for ever: the log tells of the first such ban only.
            Err(error) => {
                if self.metrics.ban_not_made() == 0 {
                    tracing::warn!(
                        %prefix, %scope, %error,
                        "ban by rules not made; more of them are counted in waf_node_bans_not_made_total"
                    );
                }
            }
        }
    }
}

/// The record of a ban: no request's, so without method, status or page.
fn ban_event(ban: &Ban, destination: IpAddr, now: Mono) -> Event {
    let time = Wall::now();
    let ends = (SocketAddr::new(ban.prefix.addr(), 0), SocketAddr::new(destination, 0));
    let why = (Stage::List, Reason::Banned);
    Event {
        tenant: ban.tenant,
        detail: sentence(ban, now),
        ..Event::without_request(new_id(time, now), (time, now), ends, why)
    }
}

/// An id that stands on no page: unguessable enough by the standard library's keyed hash of the moment.
pub(super) fn new_id(time: Wall, moment: Mono) -> EventId {
    let keys = RandomState::new();
    EventId::new(time, (u128::from(keys.hash_one(moment.0)) << 64) | u128::from(keys.hash_one(time.0)))
}

#[cfg(test)]
mod tests;

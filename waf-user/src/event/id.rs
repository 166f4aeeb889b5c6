//! Ids of requests and their events: what the block page shows and one look-up finds.

use std::fmt;

use crate::model::Wall;

/// 16 bytes: 48 bits of wall milliseconds, then randomness of the worker: sortable by time, unguessable enough to quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u128);

impl EventId {
    /// `random`: 80 bits are used; from the worker's generator, never from the request.
    pub fn new(now: Wall, random: u128) -> Self {
        Self((u128::from(now.0) << 80) | (random & ((1 << 80) - 1)))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

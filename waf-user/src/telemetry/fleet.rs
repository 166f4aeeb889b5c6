//! How a node stands with control: counts and levels that only a node with [control] has.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::Metrics;
use crate::model::Wall;

/// Nothing of it is exposed before the first of them is given.
#[derive(Debug, Default)]
pub struct FleetNumbers {
    pub is_member: AtomicBool,
    pub connected: AtomicU64,
    pub heard: AtomicU64,
    pub served: AtomicU64,
    pub certificate_ends_s: AtomicU64,
    pub untold: AtomicU64,
}

impl Metrics {
    /// Whether a stream with control is open.
    pub fn control_connected(&self, is_connected: bool) {
        self.numbers.fleet.is_member.store(true, Relaxed);
        self.numbers.fleet.connected.store(u64::from(is_connected), Relaxed);
    }

    /// Generation of the document that control sent last. A stream may send an older one, which is refused.
    pub fn document_heard(&self, generation: u64) {
        self.numbers.fleet.heard.store(generation, Relaxed);
    }

    /// Generation of the document that is served.
    pub fn document_served(&self, generation: u64) {
        self.numbers.fleet.served.store(generation, Relaxed);
        self.numbers.fleet.heard.fetch_max(generation, Relaxed);
    }

    /// When the node's own certificate towards control ends.
    pub fn certificate_ends(&self, ends: Wall) {
        self.numbers.fleet.certificate_ends_s.store(ends.0 / 1000, Relaxed);
    }

    /// A ban or a lift that control was not told of: the queue towards it is full.
    pub fn untold(&self) {
        self.numbers.fleet.untold.fetch_add(1, Relaxed);
    }
}

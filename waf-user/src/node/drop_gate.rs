//! Samples of kernel drops -> which of them become events. The log is for people: a flood is told of by its rate, but of
//! each source that the kernel begins to drop the first packet is always told, however loud others are. Sans-io.

use std::collections::HashSet;

use waf_common::report::Report;

use crate::model::Mono;

/// Events of repeated drops in a second: some lines are enough to see a flood.
const REPEATED_PER_S_MAX: u32 = 100;
/// Events of first drops in a second: bans come by the source, and a flood from forged sources of a listed prefix must
/// not come this way at its own rate.
const FIRST_PER_S_MAX: u32 = 1_000;
/// Sources remembered in one half of the memory: at the rate above they fill it in eight seconds (about 300 KB).
const SOURCES_MAX: usize = 8_192;
/// After this long, or twice it, without a drop a source's next one is a first again.
const FORGET_NS: u64 = 10_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// What is dropped: source and scope, and by which outcome.
type Dropped = ([u8; 16], u32, u32);

/// The rate limit and its memory.
#[derive(Debug, Default)]
pub(super) struct DropGate {
    second: Mono,
    repeated: u32,
    first: u32,
    turned: Mono,
    recent: HashSet<Dropped>,
    before: HashSet<Dropped>,
}

impl DropGate {
    /// Whether the sample becomes an event.
    pub fn passes(&mut self, report: &Report, now: Mono) -> bool {
        if now.since_ns(self.second) >= SECOND_NS {
            (self.second, self.repeated, self.first) = (now, 0, 0);
        }
        let dropped = (report.source, report.scope, report.outcome);
        let (written, max) = match self.is_first(dropped, now) {
            true => (&mut self.first, FIRST_PER_S_MAX),
            false => (&mut self.repeated, REPEATED_PER_S_MAX),
        };
        *written = written.saturating_add(1);
        *written <= max
    }

    /// Remembers in two halves: the older one is forgotten whole.
    fn is_first(&mut self, dropped: Dropped, now: Mono) -> bool {
        let age_ns = now.since_ns(self.turned);
        if self.recent.len() >= SOURCES_MAX || age_ns >= FORGET_NS {
            std::mem::swap(&mut self.recent, &mut self.before);
            self.recent.clear();
            self.turned = now;
        }
        if age_ns >= 2 * FORGET_NS {
            self.before.clear();
        }
        self.recent.insert(dropped) && !self.before.contains(&dropped)
    }
}

#[cfg(test)]
mod tests;

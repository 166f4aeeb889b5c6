//! How often the workers' lists are made anew while control tells of bans: at once where it costs nothing, and during an
//! import of a hundred thousand only so often that it takes a small share of the time. In the kernel each ban holds at
//! once, and so it does for open connections. Sans-io: moments in, moments out.

use crate::model::Mono;

/// Of the time, one part goes to making lists and so many to everything else.
const REST: u64 = 10;
/// Longest wait, ns: bans of the rules are everywhere within a second, in user space too.
const WAIT_NS_MAX: u64 = 500_000_000;

/// How the last time went.
#[derive(Debug, Default)]
pub struct Pace {
    ended: Option<Mono>,
    took_ns: u64,
}

impl Pace {
    /// From when on the lists may be made anew.
    pub fn due(&self, now: Mono) -> Mono {
        let wait_ns = self.took_ns.saturating_mul(REST).min(WAIT_NS_MAX);
        self.ended.map_or(now, |ended| Mono(ended.0.saturating_add(wait_ns)).max(now))
    }

    /// They were, from then until now.
    pub fn made(&mut self, began: Mono, now: Mono) {
        (self.ended, self.took_ns) = (Some(now), now.since_ns(began));
    }
}

#[cfg(test)]
mod tests;

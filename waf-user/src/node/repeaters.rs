//! Sources that were banned before -> how long the next ban lasts. Bounded: what finds no room is banned each time as if
//! for the first time, and counted. Sans-io: time is an argument.

use std::collections::HashMap;

use ipnet::IpNet;

use crate::config::BanPolicy;
use crate::model::{BanScope, Mono};

/// Sources remembered: about 5 MB, and as many as there may be bans.
pub const REPEATERS_MAX: usize = 65_536;
/// A full table is swept at most this often.
const SWEEP_NS: u64 = 1_000_000_000;
/// Bans of one source that still make the next one longer: any growth has met its most by then.
const TIMES_MAX: u32 = 64;

/// A source's bans so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeater {
    pub times: u32,
    /// When it is forgotten: as long after its last ban's end as the longest ban lasts.
    pub until: Mono,
}

/// Who was banned how often.
#[derive(Debug, Default)]
pub struct Repeaters {
    sources: HashMap<(BanScope, IpNet), Repeater>,
    swept: Mono,
    lost: u64,
}

impl Repeaters {
    /// How long the source's next ban lasts, in seconds; the ban is counted as given.
    pub fn next_ttl_s(&mut self, scope: BanScope, prefix: IpNet, policy: &BanPolicy, now: Mono) -> u32 {
        let before = self.sources.get(&(scope, prefix)).filter(|repeater| now < repeater.until);
        let times = before.map_or(0, |repeater| repeater.times);
        let ttl_s = grown(policy, times);
        let until = now.plus_s(ttl_s.saturating_add(policy.ttl_max_s));
        self.remember(scope, prefix, Repeater { times: (times + 1).min(TIMES_MAX), until }, now);
        ttl_s
    }

    /// Takes a source over as another process knew it.
    pub fn remember(&mut self, scope: BanScope, prefix: IpNet, repeater: Repeater, now: Mono) {
        let key = (scope, prefix);
        if self.sources.len() >= REPEATERS_MAX && !self.sources.contains_key(&key) {
            if now.since_ns(self.swept) >= SWEEP_NS {
                self.sources.retain(|_, repeater| now < repeater.until);
                self.swept = now;
            }
            if self.sources.len() >= REPEATERS_MAX {
                self.lost += 1;
                return;
            }
        }
        self.sources.insert(key, repeater);
    }

    /// Forgets a source: an operator lifted its ban.
    pub fn forgive(&mut self, scope: BanScope, prefix: IpNet) {
        self.sources.remove(&(scope, prefix));
    }

    /// Sources remembered.
    pub fn count(&self) -> usize {
        self.sources.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (BanScope, IpNet, Repeater)> {
        self.sources.iter().map(|((scope, prefix), repeater)| (*scope, *prefix, *repeater))
    }

    /// Sources that found no room since the last call.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

/// `ttl_s` grown so many times, at most `ttl_max_s`.
fn grown(policy: &BanPolicy, times: u32) -> u32 {
    let grown = f64::from(policy.ttl_s) * policy.ttl_growth.powi(i32::try_from(times).unwrap_or(i32::MAX));
    // A float beyond the type's range becomes its bound.
    (grown as u32).min(policy.ttl_max_s).max(1)
}

#[cfg(test)]
mod tests;

//! What the allowances of all tenants have counted -> what each used since control was told the last time. What it may
//! use is not known here.

use std::collections::HashMap;

use super::shares::Allowances;
use crate::config::NodeConfig;
use crate::model::sync::TenantUsage;
use crate::model::{Mono, TenantId};
use crate::proxy::contract::Allowance;

/// Counts over less would be mostly chance; control looks at minutes.
const EVERY_NS: u64 = 5_000_000_000;
/// In one message, some 400 KB. A node's most tenants are told of in four messages, one a second: before the next counts.
pub const TENANTS_OF_ONE_MAX: usize = 4096;

/// Counts of all tenants, told in turns.
#[derive(Debug)]
pub struct Used {
    since: Mono,
    seen: HashMap<TenantId, Counts>,
    /// Counted and not told yet, over `interval_ms`.
    waiting: Vec<TenantUsage>,
    interval_ms: u64,
}

/// All that was ever counted of one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Requests, those refused for excess among them.
    asked: u64,
    limited: u64,
    bytes: u64,
    handshakes: u64,
}

impl Used {
    pub fn new(now: Mono) -> Self {
        Self { since: now, seen: HashMap::new(), waiting: Vec::new(), interval_ms: 0 }
    }

    /// Milliseconds and what was used in them, to be told now; empty while the next counts are not due.
    pub fn take(
        &mut self,
        config: &NodeConfig,
        allowances: &Allowances,
        now: Mono,
    ) -> (u64, Vec<TenantUsage>) {
        if self.waiting.is_empty() && now.since_ns(self.since) >= EVERY_NS {
            self.count(config, allowances, now);
        }
        let kept = self.waiting.len().saturating_sub(TENANTS_OF_ONE_MAX);
        (self.interval_ms, self.waiting.split_off(kept))
    }

    fn count(&mut self, config: &NodeConfig, allowances: &Allowances, now: Mono) {
        self.interval_ms = now.since_ns(self.since) / 1_000_000;
        self.since = now;
        let before = std::mem::take(&mut self.seen);
        for tenant in &config.tenants {
            let Some(allowance) = allowances.get(tenant.id) else { continue };
            let counts = Counts::of(&allowance);
            // A tenant that went and came back is counted from nothing.
            let from = before.get(&tenant.id).filter(|from| from.within(counts)).copied().unwrap_or_default();
            self.seen.insert(tenant.id, counts);
            if counts != from {
                let limited = counts.limited - from.limited;
                self.waiting.push(TenantUsage {
                    tenant: tenant.id.number(),
                    // One that was asked for in the interval before may be refused in this one.
                    requests: (counts.asked - from.asked).saturating_sub(limited),
                    limited,
                    bytes: counts.bytes - from.bytes,
                    handshakes: counts.handshakes - from.handshakes,
                });
            }
        }
    }
}

impl Counts {
    fn of(allowance: &Allowance) -> Self {
        Self {
            asked: allowance.requests.asked(),
            limited: allowance.requests.refused(),
            bytes: allowance.bytes(),
            handshakes: allowance.handshakes.asked(),
        }
    }

    const fn within(&self, later: Self) -> bool {
        self.asked <= later.asked
            && self.limited <= later.limited
            && self.bytes <= later.bytes
            && self.handshakes <= later.handshakes
    }
}

#[cfg(test)]
mod tests;

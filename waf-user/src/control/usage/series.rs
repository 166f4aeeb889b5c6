//! Counts of one tenant at one node, by the minute of control's clock that they fell into.

use std::fmt;

use super::MINUTE_NS;
use crate::control::capacity::{Measure, Thousands};
use crate::model::Mono;
use crate::model::sync::TenantUsage;

/// Whole minutes that are looked back upon: a quarter of an hour tells a trend from a burst, and an operator who is told
/// of it can still do something the same day.
pub const MINUTES: usize = 15;
/// The minute under way beside them.
const SLOTS: usize = MINUTES + 1;

/// What came in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub requests: u64,
    /// Refused for gross excess; not among `requests`.
    pub limited: u64,
    pub bytes: u64,
    pub handshakes: u64,
}

/// A rate in thousandths a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Milli(pub u64);

/// Rates of use. Requests are those that were asked for: the limited ones are among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub requests: Milli,
    pub mbit: Milli,
    pub handshakes: Milli,
    pub limited: Milli,
}

impl Counts {
    pub fn of(usage: &TenantUsage) -> Self {
        let TenantUsage { tenant: _, requests, limited, bytes, handshakes } = *usage;
        Self { requests, limited, bytes, handshakes }
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            limited: self.limited.saturating_add(other.limited),
            bytes: self.bytes.saturating_add(other.bytes),
            handshakes: self.handshakes.saturating_add(other.handshakes),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            limited: self.limited.saturating_sub(other.limited),
            bytes: self.bytes.saturating_sub(other.bytes),
            handshakes: self.handshakes.saturating_sub(other.handshakes),
        }
    }

    /// The part of it that fell into `part_ns` of `whole_ns`.
    fn part(self, part_ns: u64, whole_ns: u64) -> Self {
        let part = |count: u64| scaled(count, part_ns, whole_ns);
        Self {
            requests: part(self.requests),
            limited: part(self.limited),
            bytes: part(self.bytes),
            handshakes: part(self.handshakes),
        }
    }

    /// Rates over so many milliseconds; nothing over none.
    pub fn over(self, ms: u64) -> Used {
        let rate = |count| Milli(scaled(count, 1_000_000, ms));
        Used {
            requests: rate(self.requests.saturating_add(self.limited)),
            // A byte a second is 8 millionths of a megabit.
            mbit: Milli(scaled(self.bytes, 8, ms)),
            handshakes: rate(self.handshakes),
            limited: rate(self.limited),
        }
    }
}

/// `count * by / of`, without a step beyond 64 bits; 0 of nothing.
fn scaled(count: u64, by: u64, of: u64) -> u64 {
    let product = u128::from(count) * u128::from(by);
    u64::try_from(product.checked_div(u128::from(of)).unwrap_or(0)).unwrap_or(u64::MAX)
}

impl Used {
    pub fn plus(self, other: Self) -> Self {
        let sum = |a: Milli, b: Milli| Milli(a.0.saturating_add(b.0));
        Self {
            requests: sum(self.requests, other.requests),
            mbit: sum(self.mbit, other.mbit),
            handshakes: sum(self.handshakes, other.handshakes),
            limited: sum(self.limited, other.limited),
        }
    }

    pub const fn of(self, measure: Measure) -> Milli {
        match measure {
            Measure::Requests => self.requests,
            Measure::Bandwidth => self.mbit,
            Measure::Handshakes => self.handshakes,
        }
    }
}

impl Milli {
    /// Whether it is more than a whole rate.
    pub const fn is_above(self, rate: u64) -> bool {
        self.0 > rate.saturating_mul(1_000)
    }

    /// A second, for words.
    pub fn a_second(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

/// Whole where it is large, with one digit where it is small: 7,200 or 3.4.
impl fmt::Display for Milli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 100_000 {
            return Thousands((self.0 + 500) / 1_000).fmt(f);
        }
        let tenths = (self.0 + 50) / 100;
        write!(f, "{}.{}", tenths / 10, tenths % 10)
    }
}

/// A ring of minutes, and what came last.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Number of the latest minute in the ring.
    newest: u64,
    minutes: [Counts; SLOTS],
    last: Mono,
    latest: Counts,
    latest_ms: u64,
}

impl Series {
    /// Counts that came in the `interval_ms` before `now`: spread over the minutes that it covers, so that what is told
    /// late, after a stream was broken, is no burst.
    pub fn add(&mut self, counts: Counts, interval_ms: u64, now: Mono) {
        if interval_ms == 0 {
            return;
        }
        (self.last, self.latest, self.latest_ms) = (now, counts, interval_ms);
        self.advance(minute(now));
        let whole = interval_ms.saturating_mul(1_000_000);
        let began = now.0.saturating_sub(whole);
        let oldest = self.newest.saturating_sub(MINUTES as u64);
        let mut left = counts;
        for number in minute(Mono(began)).max(oldest)..self.newest {
            let (start, end) = (number * MINUTE_NS, (number + 1) * MINUTE_NS);
            let part = counts.part(end - start.max(began), whole);
            left = left.minus(part);
            self.put(number, part);
        }
        // What is older than the ring is in no minute of it.
        let before = (oldest * MINUTE_NS).saturating_sub(began);
        self.put(self.newest, left.minus(counts.part(before, whole)));
    }

    fn put(&mut self, number: u64, counts: Counts) {
        if let Some(slot) = self.minutes.get_mut(slot(number)) {
            *slot = slot.plus(counts);
        }
    }

    /// Empties the minutes since the newest one up to this.
    fn advance(&mut self, to: u64) {
        if to <= self.newest {
            return;
        }
        for number in (self.newest + 1).max(to.saturating_sub(MINUTES as u64))..=to {
            if let Some(slot) = self.minutes.get_mut(slot(number)) {
                *slot = Counts::default();
            }
        }
        self.newest = to;
    }

    /// The last whole minutes, the oldest first.
    pub fn whole_minutes(&self, now: Mono) -> [Counts; MINUTES] {
        let current = minute(now);
        std::array::from_fn(|at| {
            let number = (current + at as u64).checked_sub(MINUTES as u64);
            let is_held = |number: &u64| *number <= self.newest && number + SLOTS as u64 > self.newest;
            let held = number.filter(is_held).and_then(|number| self.minutes.get(slot(number)));
            held.copied().unwrap_or_default()
        })
    }

    /// Rates of the last interval that was told.
    pub fn latest(&self) -> Used {
        self.latest.over(self.latest_ms)
    }

    pub const fn last(&self) -> Mono {
        self.last
    }
}

const fn minute(now: Mono) -> u64 {
    now.0 / MINUTE_NS
}

const fn slot(minute: u64) -> usize {
    (minute % SLOTS as u64) as usize
}

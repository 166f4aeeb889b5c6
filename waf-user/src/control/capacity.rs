//! What traffic costs and what nodes can carry, in the same three measures: requests, new TLS handshakes and megabits a
//! second. Whole numbers only, so that the same inputs give the same plan on every machine. Knows no node and no site.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Of each capacity, the share that reservations may take. The rest is headroom: every placement reserves the whole
/// peak, so it is still free when one carrier is lost.
pub const LINE_PERCENT: u64 = 80;
/// Larger than any machine or site; keeps every sum of a fleet within 64 bits.
pub const RATE_MAX: u64 = 1_000_000_000;

/// Rates a second: a site's peak, a node's capacity, or what is reserved there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    pub requests_s: u64,
    pub mbit_s: u64,
    #[serde(default)]
    pub handshakes_s: u64,
}

/// One of the measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Measure {
    Requests,
    Bandwidth,
    Handshakes,
}

impl Measure {
    /// In the order of the fields of [`Rates`].
    pub const ALL: [Self; 3] = [Self::Requests, Self::Bandwidth, Self::Handshakes];
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests/s",
            Self::Bandwidth => "Mbit/s",
            Self::Handshakes => "TLS handshakes/s",
        })
    }
}

/// A measure in which something does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    pub measure: Measure,
    /// By everything else.
    pub reserved: u64,
    pub capacity: u64,
    /// What was to come on top.
    pub more: u64,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} {} reserved, {} more do not fit under the {LINE_PERCENT} % line ({})",
            Thousands(self.reserved),
            Thousands(self.capacity),
            self.measure,
            Thousands(self.more),
            Thousands(below_line(self.capacity)),
        )
    }
}

impl Rates {
    pub const fn of(self, measure: Measure) -> u64 {
        match measure {
            Measure::Requests => self.requests_s,
            Measure::Bandwidth => self.mbit_s,
            Measure::Handshakes => self.handshakes_s,
        }
    }

    pub const fn plus(self, other: Self) -> Self {
        Self {
            requests_s: self.requests_s.saturating_add(other.requests_s),
            mbit_s: self.mbit_s.saturating_add(other.mbit_s),
            handshakes_s: self.handshakes_s.saturating_add(other.handshakes_s),
        }
    }

    pub const fn minus(self, other: Self) -> Self {
        Self {
            requests_s: self.requests_s.saturating_sub(other.requests_s),
            mbit_s: self.mbit_s.saturating_sub(other.mbit_s),
            handshakes_s: self.handshakes_s.saturating_sub(other.handshakes_s),
        }
    }

    /// The part of each of `parts` equal shares, rounded up.
    pub const fn share(self, parts: u64) -> Self {
        Self {
            requests_s: self.requests_s.div_ceil(parts),
            mbit_s: self.mbit_s.div_ceil(parts),
            handshakes_s: self.handshakes_s.div_ceil(parts),
        }
    }

    /// What of a capacity may be reserved.
    pub const fn below_line(self) -> Self {
        Self {
            requests_s: below_line(self.requests_s),
            mbit_s: below_line(self.mbit_s),
            handshakes_s: below_line(self.handshakes_s),
        }
    }

    /// Whether no measure is above the other's.
    pub const fn within(self, limit: Self) -> bool {
        self.requests_s <= limit.requests_s
            && self.mbit_s <= limit.mbit_s
            && self.handshakes_s <= limit.handshakes_s
    }

    /// The fullest measure in millionths of the limit; a measure with no limit and no load does not count.
    pub fn fullness(self, limit: Self) -> u64 {
        let part = |measure| match (self.of(measure), limit.of(measure)) {
            (0, _) => 0,
            (_, 0) => u64::MAX,
            (load, limit) => load.saturating_mul(1_000_000) / limit,
        };
        Measure::ALL.into_iter().map(part).max().unwrap_or(0)
    }

    /// Where `more` on top of these reservations goes over the line of `capacity`.
    pub fn shortfalls(self, more: Self, capacity: Self) -> impl Iterator<Item = Shortfall> {
        Measure::ALL.into_iter().filter_map(move |measure| {
            let (reserved, capacity, more) = (self.of(measure), capacity.of(measure), more.of(measure));
            let over = more > 0 && reserved.saturating_add(more) > below_line(capacity);
            over.then_some(Shortfall { measure, reserved, capacity, more })
        })
    }
}

const fn below_line(capacity: u64) -> u64 {
    capacity.saturating_mul(LINE_PERCENT) / 100
}

/// A number as people read it: 7,200.
pub struct Thousands(pub u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

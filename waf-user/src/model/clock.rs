//! Two kinds of time that are never mixed: monotonic for expiry, wall for people. Nothing here reads a clock by itself
//! but the two `now` functions, which are called at the edges only.

use std::time::{SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds of CLOCK_MONOTONIC: the clock of `bpf_ktime_get_ns` and of kernel expiry (there in seconds).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mono(pub u64);

impl Mono {
    /// Reads CLOCK_MONOTONIC; 0 if the kernel has none, which Linux always has.
    pub fn now() -> Self {
        let Ok(time) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return Self(0) };
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec()).unwrap_or(0)))
    }

    /// Whole seconds, as expiry is kept in the kernel's block maps.
    pub const fn seconds(self) -> u32 {
        let seconds = self.0 / 1_000_000_000;
        if seconds > u32::MAX as u64 { u32::MAX } else { seconds as u32 }
    }

    /// This moment plus whole seconds.
    pub const fn plus_s(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as u64 * 1_000_000_000))
    }

    /// Nanoseconds since an earlier moment; 0 if it is later.
    pub const fn since_ns(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall(pub u64);

impl Wall {
    /// Reads the system clock; 0 if it stands before 1970.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests;

//! What a node did for how much CPU time -> rates that an operator can put into the inventory.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use waf_user::control::capacity::Thousands;

/// Bits of a megabit.
const MEGABIT: f64 = 1_000_000.0;
/// Less than this of a second of CPU time is no measure.
const CPU_LEAST: Duration = Duration::from_millis(100);

/// One kind of work alone.
#[derive(Clone, Copy, Debug)]
pub struct Alone {
    pub done: u64,
    /// What the node took for it, of all CPUs together.
    pub cpu: Duration,
    pub cpus: usize,
}

/// A measure that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the node took {0:?} of CPU time for {1} answers, too little for a figure: say more --seconds, or look whether others \
     keep the machine busy"
)]
pub struct TooLittle(Duration, u64);

impl Alone {
    /// A second, with all CPUs.
    fn rate(&self) -> Result<f64, TooLittle> {
        if self.done == 0 || self.cpu < CPU_LEAST {
            return Err(TooLittle(self.cpu, self.done));
        }
        Ok(self.done as f64 / self.cpu.as_secs_f64() * self.cpus as f64)
    }
}

/// Parts of the CPU in hundredths: requests, handshakes, bandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mix([u32; 3]);

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<u32> = text
            .split(',')
            .map(|part| part.trim().parse().map_err(|_| format!("{part:?} is no whole number")))
            .collect::<Result<_, _>>()?;
        match parts.as_slice() {
            [a, b, c] if [a, b, c].iter().all(|part| (1..=98).contains(*part)) && a + b + c == 100 => {
                Ok(Self([*a, *b, *c]))
            }
            _ => Err("three numbers above 0 that are 100 together, for example 50,25,25".to_owned()),
        }
    }
}

/// Rates a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rates {
    pub requests_s: u64,
    pub mbit_s: u64,
    pub handshakes_s: u64,
}

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub cpus: usize,
    /// Each alone, with all CPUs.
    pub alone: Rates,
    pub mix: Mix,
    /// All at once: for the inventory.
    pub capacity: Rates,
}

impl Figures {
    /// `bytes`: to visitors. `line_mbit`: what the line carries, where it is known.
    ///
    /// # Errors
    /// One of them is no measure.
    pub fn new(
        requests: Alone,
        handshakes: Alone,
        bytes: Alone,
        mix: &Mix,
        line_mbit: Option<u64>,
    ) -> Result<Self, TooLittle> {
        let [r, h, b] = mix.0.map(|part| f64::from(part) / 100.0);
        let (requests_s, handshakes_s) = (requests.rate()?, handshakes.rate()?);
        let mbit_s = bytes.rate()? * 8.0 / MEGABIT;
        let line = line_mbit.unwrap_or(u64::MAX);
        Ok(Self {
            cpus: requests.cpus,
            alone: Rates {
                requests_s: rounded(requests_s),
                mbit_s: rounded(mbit_s),
                handshakes_s: rounded(handshakes_s),
            },
            mix: *mix,
            capacity: Rates {
                requests_s: rounded(requests_s * r),
                mbit_s: rounded(mbit_s * b).min(line),
                handshakes_s: rounded(handshakes_s * h),
            },
        })
    }
}

/// Down to two digits: more would say that it was measured better than it was.
fn rounded(rate: f64) -> u64 {
    let whole = rate as u64;
    let step = 10_u64.pow(whole.checked_ilog10().unwrap_or(0).saturating_sub(1));
    whole / step * step
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alone, Rates { requests_s, mbit_s, handshakes_s }) = (self.alone, self.capacity);
        let [r, h, b] = self.mix.0;
        writeln!(
            f,
            "# {} CPUs, each alone: {} requests/s, {} Mbit/s, {} TLS handshakes/s.",
            self.cpus,
            Thousands(alone.requests_s),
            Thousands(alone.mbit_s),
            Thousands(alone.handshakes_s),
        )?;
        writeln!(
            f,
            "# All at once, with {r} % of the CPUs for requests, {h} % for handshakes, {b} % for bandwidth:"
        )?;
        writeln!(
            f,
            "capacity = {{ requests_s = {requests_s}, mbit_s = {mbit_s}, handshakes_s = {handshakes_s} }}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(done: u64, cpu_ms: u64) -> Alone {
        Alone { done, cpu: Duration::from_millis(cpu_ms), cpus: 2 }
    }

    #[test]
    fn figures_are_work_by_cpu_time_on_all_cpus() {
        let mix = "50,25,25".parse().unwrap();
        let (requests, handshakes) = (alone(10_000, 2_500), alone(3_333, 2_000));
        let bytes = alone(1_000_000_000, 4_000);
        let figures = Figures::new(requests, handshakes, bytes, &mix, None).unwrap();
        // 8,000; 3,333; 4,000 Mbit/s.
        assert_eq!(figures.alone, Rates { requests_s: 8_000, mbit_s: 4_000, handshakes_s: 3_300 });
        assert_eq!(figures.capacity, Rates { requests_s: 4_000, mbit_s: 1_000, handshakes_s: 830 });
        let text = figures.to_string();
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["capacity"]["requests_s"].as_integer(), Some(4_000), "{text}");
        let narrow = Figures::new(requests, handshakes, bytes, &mix, Some(100)).unwrap();
        assert_eq!(narrow.capacity.mbit_s, 100);
    }

    #[test]
    fn what_was_hardly_measured_is_no_figure() {
        let mix = "50,25,25".parse().unwrap();
        let good = alone(1_000, 1_000);
        for bad in [alone(0, 1_000), alone(1_000, 99)] {
            assert_eq!(Figures::new(bad, good, good, &mix, None), Err(TooLittle(bad.cpu, bad.done)));
        }
        assert!(Figures::new(alone(1_000, 100), good, good, &mix, None).is_ok());
    }

    #[test]
    fn parts_are_a_hundred_together() {
        for good in ["50,25,25", "1, 1, 98", "98,1,1"] {
            assert!(good.parse::<Mix>().is_ok(), "{good}");
        }
        for bad in ["", "50,50", "50,25,26", "0,50,50", "100,0,0", "a,b,c", "4294967295,1,1", "25,25,25,25"] {
            assert!(bad.parse::<Mix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn figures_have_two_digits() {
        for (rate, expected) in [(0.4, 0), (7.9, 7), (99.9, 99), (104.0, 100), (12_789.0, 12_000)] {
            assert_eq!(rounded(rate), expected, "{rate}");
        }
    }
}

//! The node's event log, read as it grows: refusals and kernel drops of a source, each with its monotonic time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::text;

/// Lines since the last [`Journal::skip`].
pub struct Journal {
    file: File,
    /// What was read of a line that is not yet whole.
    rest: Vec<u8>,
    events: Vec<Value>,
}

impl Journal {
    /// # Errors
    /// The node writes no such file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
        Ok(Self { file, rest: Vec::new(), events: Vec::new() })
    }

    /// Forgets everything up to now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn skip(&mut self) -> Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.rest.clear();
        self.events.clear();
        Ok(())
    }

    /// Takes in what was written since.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self) -> Result<()> {
        self.file.read_to_end(&mut self.rest)?;
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        let events = lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        self.events.extend(events);
        Ok(())
    }

    /// When requests of a source were refused by the rules, in nanoseconds, in order.
    pub fn refusals(&self, source: IpAddr) -> Vec<u64> {
        self.times("rules", source)
    }

    /// When packets of a source were dropped in the kernel.
    pub fn drops(&self, source: IpAddr) -> Vec<u64> {
        self.times("kernel", source)
    }

    /// When the node made the ban of a source, or of the /64 it lies in.
    pub fn ban(&self, source: IpAddr) -> Option<u64> {
        let prefix = match source.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        };
        self.times("list", prefix).first().copied()
    }

    fn times(&self, stage: &str, source: IpAddr) -> Vec<u64> {
        let source = text(source);
        let events = self.events.iter().filter(|event| {
            event["stage"] == stage && event["refused"] == true && event["client_ip"] == source.as_str()
        });
        let mut times: Vec<u64> = events.filter_map(|event| event["mono_ns"].as_u64()).collect();
        times.sort_unstable();
        times
    }
}

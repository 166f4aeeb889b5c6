//! Reader of the EVENTS ring: samples of dropped packets, for a tokio `AsyncFd` or a plain loop.

use std::os::fd::{AsRawFd, RawFd};

use aya::maps::{MapData, RingBuf};
use waf_common::report::Report;

/// The ring. One reader at a time: a second one takes reports away from the first.
pub struct Reports {
    ring: RingBuf<MapData>,
}

impl Reports {
    pub(super) fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring }
    }

    /// The next report, or none for now. Records of another size than ours are skipped.
    pub fn take(&mut self) -> Option<Report> {
        loop {
            let item = self.ring.next()?;
            if let Ok(report) = bytemuck::try_pod_read_unaligned(&item) {
                return Some(report);
            }
        }
    }
}

impl AsRawFd for Reports {
    /// Readable when there are reports.
    fn as_raw_fd(&self) -> RawFd {
        self.ring.as_raw_fd()
    }
}

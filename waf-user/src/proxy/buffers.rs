//! Memory that one request lends the next: of one worker, bounded.

use std::cell::RefCell;

use super::limits::{BUFFER_BYTES_MAX, BUFFERS_MAX};

/// Buffers that nobody uses now.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    spare: RefCell<Vec<Vec<u8>>>,
}

impl Buffers {
    /// Hot: per request. An empty buffer.
    pub(super) fn take(&self) -> Vec<u8> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }

    /// Hot: per request. Gives a buffer back; one that has grown, or one too many, is freed.
    pub(super) fn give(&self, mut buffer: Vec<u8>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < BUFFERS_MAX && (1..=BUFFER_BYTES_MAX).contains(&buffer.capacity()) {
            buffer.clear();
            spare.push(buffer);
        }
    }
}

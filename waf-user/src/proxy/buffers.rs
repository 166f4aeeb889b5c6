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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_lent_within_bounds() {
        let buffers = Buffers::default();
        // Bytes given back; whether they are lent again.
        for (bytes, expected) in
            [(0, false), (1, true), (BUFFER_BYTES_MAX, true), (BUFFER_BYTES_MAX + 1, false)]
        {
            let mut given = Vec::with_capacity(bytes);
            given.resize(bytes, b'x');
            buffers.give(given);
            let taken = buffers.take();
            assert!(taken.is_empty());
            assert_eq!(taken.capacity() > 0, expected, "{bytes}");
        }
        (0..=BUFFERS_MAX).for_each(|_| buffers.give(vec![0]));
        assert_eq!(buffers.spare.borrow().len(), BUFFERS_MAX);
    }
}

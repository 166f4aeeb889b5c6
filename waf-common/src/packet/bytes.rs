//! The only view the parser has of a frame: copies of whole headers, or nothing. Where the bytes lie is not known.

use crate::limits::PARSE_BYTES_MAX;

/// A frame. Implemented for byte slices here and for the XDP context in the kernel half.
pub trait Bytes {
    /// Bytes of the frame.
    fn len(&self) -> usize;

    /// Hot: per packet. `N` bytes from `at` on, if all of them are there and within [`PARSE_BYTES_MAX`].
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]>;

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hot: per packet. As [`Bytes::read`], for a header that must end at `end` at the latest.
    #[inline(always)]
    fn read_within<const N: usize>(&self, at: usize, end: usize) -> Option<[u8; N]> {
        if at + N > end { None } else { self.read(at) }
    }
}

impl Bytes for [u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        if at > PARSE_BYTES_MAX - N {
            return None;
        }
        self.get(at..)?.first_chunk().copied()
    }
}

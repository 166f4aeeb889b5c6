//! The only view the parser has of a frame: copies of whole headers, or nothing. Where the bytes lie is not known.

use bytemuck::Pod;

use crate::limits::PARSE_BYTES_MAX;

/// A frame. Implemented for byte slices here and for the XDP context in the kernel half.
pub trait Bytes {
    /// Bytes of the frame.
    fn len(&self) -> usize;

    /// Hot: per packet. The header at `at`, if all of it is there and within [`PARSE_BYTES_MAX`].
    fn read<T: Pod>(&self, at: usize) -> Option<T>;

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hot: per packet. As [`Bytes::read`], for a header that must end at `end` at the latest.
    #[inline(always)]
    fn read_within<T: Pod>(&self, at: usize, end: usize) -> Option<T> {
        if at + size_of::<T>() > end { None } else { self.read(at) }
    }
}

impl Bytes for [u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn read<T: Pod>(&self, at: usize) -> Option<T> {
        if at > PARSE_BYTES_MAX - size_of::<T>() {
            return None;
        }
        bytemuck::try_pod_read_unaligned(self.get(at..at + size_of::<T>())?).ok()
    }
}

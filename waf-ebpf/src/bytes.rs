//! The frame under an XDP context as [`Bytes`]: the only file with packet pointers.

use core::ptr::read_volatile;

use aya_ebpf::programs::XdpContext;
use waf_common::limits::PARSE_BYTES_MAX;
use waf_common::packet::Bytes;

/// A frame between its first byte and its end, for as long as its context lives.
pub struct Frame<'a>(pub &'a XdpContext);

impl Frame<'_> {
    /// First byte and end. Volatile: the compiler may not prove a bound once and leave out the comparison of pointers that
    /// the verifier wants to see before each access.
    #[inline(always)]
    fn bounds(&self) -> (usize, usize) {
        let ctx = self.0.ctx;
        // SAFETY: the kernel gives a valid context for as long as `XdpContext` lives.
        unsafe {
            (
                read_volatile(&raw const (*ctx).data) as usize,
                read_volatile(&raw const (*ctx).data_end) as usize,
            )
        }
    }
}

impl Bytes for Frame<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        let (start, end) = self.bounds();
        end - start
    }

    #[inline(always)]
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        // The verifier must know a small bound of `at` before it goes into a pointer.
        if at > PARSE_BYTES_MAX - N {
            return None;
        }
        let (start, end) = self.bounds();
        let header = start + at;
        if header + N > end {
            return None;
        }
        let mut bytes = [0; N];
        let mut done = 0;
        while done + 1 < N {
            // SAFETY: the bound above proves N bytes between `header` and the end of the frame, to the verifier too.
            // Headers begin at even addresses: Ethernet has 14 octets, a tag and every unit of a header's length 4.
            let pair = unsafe { *((header + done) as *const u16) };
            [bytes[done], bytes[done + 1]] = pair.to_ne_bytes();
            done += 2;
        }
        if done < N {
            // SAFETY: as above.
            bytes[done] = unsafe { *((header + done) as *const u8) };
        }
        Some(bytes)
    }
}

//! The frame under an XDP context as [`Bytes`]: the only file with packet pointers.

use core::mem::MaybeUninit;
use core::ptr::read_volatile;

use aya_ebpf::programs::XdpContext;
use bytemuck::Pod;
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
    fn read<T: Pod>(&self, at: usize) -> Option<T> {
        // The verifier must know a small bound of `at` before it goes into a pointer.
        if at > PARSE_BYTES_MAX - size_of::<T>() {
            return None;
        }
        let (start, end) = self.bounds();
        let header = start + at;
        if header + size_of::<T>() > end {
            return None;
        }
        let mut value = MaybeUninit::<T>::uninit();
        let into = value.as_mut_ptr() as usize;
        let mut done = 0;
        // SAFETY: the bound above proves the bytes of T between `header` and the end of the frame, to the verifier too; any
        // bytes are a T, and each of them is written. BPF asks for no alignment of packet bytes; where a processor does, the
        // verifier refuses the program.
        unsafe {
            while done + 8 <= size_of::<T>() {
                ((into + done) as *mut u64).write_unaligned(*((header + done) as *const u64));
                done += 8;
            }
            if done + 4 <= size_of::<T>() {
                ((into + done) as *mut u32).write_unaligned(*((header + done) as *const u32));
                done += 4;
            }
            if done + 2 <= size_of::<T>() {
                ((into + done) as *mut u16).write_unaligned(*((header + done) as *const u16));
                done += 2;
            }
            if done < size_of::<T>() {
                ((into + done) as *mut u8).write(*((header + done) as *const u8));
            }
            Some(value.assume_init())
        }
    }
}

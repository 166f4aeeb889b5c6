//! Number of a prefix -> its bits, one to one, so that listed prefixes lie scattered over the whole space and a source
//! needs no table. Compiled into the programs of the bench and into the bench itself, which fills the lists.

/// Bits that [`spread`] scatters: an IPv4 /24, or the middle of an IPv6 /64.
pub const SPREAD_BITS: u32 = 24;

/// Hot: per packet. Odd factors and shifts by half the width are each reversible, so no two numbers meet.
#[inline(always)]
pub const fn spread(number: u32) -> u32 {
    const MASK: u32 = (1 << SPREAD_BITS) - 1;
    let mut x = number & MASK;
    x ^= x >> 12;
    x = x.wrapping_mul(0x9e_37b1) & MASK;
    x ^= x >> 12;
    x = x.wrapping_mul(0x85_ebcb) & MASK;
    x ^ (x >> 12)
}

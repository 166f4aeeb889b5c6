//! t:md5: the 16 bytes of the MD5 digest (RFC 1321), raw. To name values, never to protect them.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS:a "@streq 900150983cd24fb0d6963f7d28e17f72" "id:1,phase:2,deny,t:md5,t:hexEncode"`

use std::borrow::Cow;

use super::digest_blocks;

const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let bits = u64::try_from(value.len()).unwrap_or(u64::MAX).wrapping_mul(8);
    digest_blocks(value, bits.to_le_bytes(), &mut |block| mix(&mut state, block));
    Cow::Owned(state.iter().flat_map(|word| word.to_le_bytes()).collect())
}

fn mix(state: &mut [u32; 4], block: &[u8; 64]) {
    let mut words = [0_u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for step in 0..64_usize {
        let (function, index) = match step / 16 {
            0 => (d ^ (b & (c ^ d)), step),
            1 => (c ^ (d & (b ^ c)), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let word = words.get(index % 16).copied().unwrap_or(0);
        let shift = SHIFTS.get(step / 16).and_then(|row| row.get(step % 4)).copied().unwrap_or(0);
        let sum = a.wrapping_add(function).wrapping_add(constant(step)).wrapping_add(word);
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(shift)));
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(new);
    }
}

/// The whole part of 2^32 times |sin(step + 1)| (RFC 1321 §3.4).
fn constant(step: usize) -> u32 {
    let radians = f64::from(u32::try_from(step + 1).unwrap_or(0));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^32 and not negative"
    )]
    let constant = (radians.sin().abs() * 4_294_967_296.0) as u32;
    constant
}

//! t:sha1: the 20 bytes of the SHA-1 digest (RFC 3174), raw. To name values, never to protect them.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS:a "@streq a9993e364706816aba3e25717850c26c9cd0d89d" "id:1,phase:2,deny,t:sha1,t:hexEncode"`

use std::borrow::Cow;

use super::digest_blocks;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let bits = u64::try_from(value.len()).unwrap_or(u64::MAX).wrapping_mul(8);
    digest_blocks(value, bits.to_be_bytes(), &mut |block| mix(&mut state, block));
    Cow::Owned(state.iter().flat_map(|word| word.to_be_bytes()).collect())
}

fn mix(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words: Vec<u32> = Vec::with_capacity(80);
    words.extend(
        block.chunks_exact(4).map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))),
    );
    for step in 16..80 {
        let back = |distance: usize| words.get(step - distance).copied().unwrap_or(0);
        words.push((back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1));
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (step, word) in words.iter().enumerate() {
        let (function, constant) = match step / 20 {
            0 => (d ^ (b & (c ^ d)), 0x5a82_7999_u32),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (d & (b | c)), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let sum = a.rotate_left(5).wrapping_add(function).wrapping_add(e);
        let next = sum.wrapping_add(constant).wrapping_add(*word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(new);
    }
}

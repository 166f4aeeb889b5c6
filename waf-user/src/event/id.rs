//! Ids of requests and their events: what the block page shows and one look-up finds.

use std::fmt;
use std::str::FromStr;

use crate::model::Wall;

/// Hexadecimal digits of an id.
const ID_LEN: usize = 32;

/// 16 bytes: 48 bits of wall milliseconds, then randomness of the worker: sortable by time, unguessable enough to quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u128);

/// Why a text is no event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event id has {ID_LEN} hexadecimal digits")]
pub struct EventIdError;

impl EventId {
    /// `random`: 80 bits are used; from the worker's generator, never from the request.
    pub fn new(now: Wall, random: u128) -> Self {
        Self((u128::from(now.0) << 80) | (random & ((1 << 80) - 1)))
    }
}

impl EventId {
    /// Its text, without a formatter.
    pub fn hex(self) -> [u8; ID_LEN] {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut text = [0; ID_LEN];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        text
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    /// As the block page shows it; upper case and spaces around it, as people type and paste, are taken.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim();
        if digits.len() != ID_LEN || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(EventIdError);
        }
        u128::from_str_radix(digits, 16).map(Self).map_err(|_not_hex| EventIdError)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

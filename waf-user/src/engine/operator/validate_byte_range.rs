//! @validateByteRange: the value holds a byte outside the ranges.
//!
//! Argument: numbers and ranges of 0 to 255, separated by commas.
//!
//! Example: `SecRule ARGS "@validateByteRange 1-255" "id:1,phase:2,deny"`

use super::{ArgumentError, Hit};
use crate::engine::values::Values;

/// @validateByteRange.
#[derive(Clone, Debug)]
pub struct ValidateByteRange {
    allowed: Box<[bool; 256]>,
}

impl ValidateByteRange {
    /// # Errors
    /// A part that is no number or range of bytes.
    pub fn new(argument: &[u8]) -> Result<Self, ArgumentError> {
        let mut allowed = Box::new([false; 256]);
        let text = String::from_utf8_lossy(argument);
        for part in text.split(',').map(str::trim) {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (Ok(from), Ok(to)) = (from.trim().parse::<u8>(), to.trim().parse::<u8>()) else {
                return Err(malformed(format!("`{part}` is no byte and no range of bytes")));
            };
            if from > to {
                return Err(malformed(format!("`{part}` ends before it starts")));
            }
            for (byte, slot) in (0..=u8::MAX).zip(allowed.iter_mut()) {
                *slot |= (from..=to).contains(&byte);
            }
        }
        Ok(Self { allowed })
    }

    /// Hot: per value. The span is the first byte outside.
    pub fn matches(&self, value: &[u8], _values: &Values) -> Hit {
        let outside = |byte: &u8| !self.allowed.get(usize::from(*byte)).copied().unwrap_or(false);
        let at = value.iter().position(outside)?;
        Some(smallvec::smallvec![(at, at + 1)])
    }
}

fn malformed(reason: String) -> ArgumentError {
    ArgumentError::Malformed { operator: "@validateByteRange", reason }
}

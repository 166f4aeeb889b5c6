//! @verifyCC, @verifySSN, @verifyCPF, @verifySVNR: the pattern finds a number in the value whose check digits hold:
//! payment card (Luhn), US social security, Brazilian CPF, Austrian social security.
//!
//! Argument: a pattern for candidates.
//!
//! Example: `SecRule RESPONSE_BODY "@verifyCC \d{13,16}" "id:1,phase:4,deny"`

use super::{ArgumentError, Hit};
use crate::engine::limits;
use crate::engine::pattern::Pattern;
use crate::engine::values::Values;

/// Which numbers are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Card,
    Ssn,
    Cpf,
    Svnr,
}

/// @verifyCC and its kin.
#[derive(Clone, Debug)]
pub struct Verify {
    kind: Kind,
    candidates: Pattern,
}

impl Verify {
    /// # Errors
    /// Not a pattern.
    pub fn new(kind: Kind, argument: &[u8]) -> Result<Self, ArgumentError> {
        let pattern = Pattern::of_bytes(argument);
        let malformed = |reason| ArgumentError::Malformed { operator: "@verify…", reason };
        Ok(Self { kind, candidates: pattern.map_err(|error| malformed(error.reason))? })
    }

    /// Hot: per value. Looks at the first [`limits::VERIFY_CANDIDATES`] candidates.
    pub fn matches(&self, value: &[u8], _values: &Values) -> Hit {
        let mut from = 0;
        for _ in 0..limits::VERIFY_CANDIDATES {
            let (start, end) = self.candidates.find_from(value, from)?;
            let text = value.get(start..end.min(start + limits::VERIFY_BYTES))?;
            let digits: Vec<u32> = text.iter().filter_map(|byte| char::from(*byte).to_digit(10)).collect();
            if self.kind.holds(&digits) {
                return Some(smallvec::smallvec![(start, end)]);
            }
            from = start + 1;
        }
        None
    }
}

impl Kind {
    fn holds(self, digits: &[u32]) -> bool {
        match self {
            Self::Card => card(digits),
            Self::Ssn => ssn(digits),
            Self::Cpf => cpf(digits),
            Self::Svnr => svnr(digits),
        }
    }
}

/// Luhn (ISO/IEC 7812-1).
fn card(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let terms = digits.iter().rev().enumerate();
    let sum: u32 = terms.map(|(place, digit)| if place % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// Nine digits: area, group and serial that are given out, neither all alike nor counting up.
fn ssn(digits: &[u32]) -> bool {
    let number = |digits: &[u32]| digits.iter().fold(0, |sum, digit| sum * 10 + digit);
    let [a, b, c, d, e, serial @ ..] = digits else { return false };
    let (area, group) = (number(&[*a, *b, *c]), number(&[*d, *e]));
    let alike = digits.windows(2).all(|pair| pair.first() == pair.last());
    let counting = digits.windows(2).all(|pair| matches!(pair, [left, right] if *right == left + 1));
    serial.len() == 4
        && number(serial) != 0
        && group != 0
        && (1..740).contains(&area)
        && area != 666
        && !alike
        && !counting
}

/// Nine digits and two check digits modulo 11.
fn cpf(digits: &[u32]) -> bool {
    if digits.len() != 11 || digits.windows(2).all(|pair| pair.first() == pair.last()) {
        return false;
    }
    let check = |length: u32| {
        let sum: u32 = digits.iter().zip((2..=length + 1).rev()).map(|(digit, weight)| digit * weight).sum();
        if sum % 11 < 2 { 0 } else { 11 - sum % 11 }
    };
    digits.get(9) == Some(&check(9)) && digits.get(10) == Some(&check(10))
}

/// Ten digits, the fourth checks the others modulo 11.
fn svnr(digits: &[u32]) -> bool {
    const WEIGHTS: [u32; 10] = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 10 && digits.get(3) == Some(&(sum % 11))
}

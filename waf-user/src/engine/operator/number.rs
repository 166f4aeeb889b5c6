//! @eq, @ge, @gt, @le, @lt: compare value and argument as whole numbers.
//!
//! Argument: a number, macros expanded. What does not start with a number is 0, as C's atoi reads it.
//!
//! Example: `SecRule &ARGS "@gt 100" "id:1,phase:2,deny"`

use super::{Hit, hit};
use crate::engine::template::Template;
use crate::engine::values::Values;

/// How the value is to stand to the argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    GreaterOrEqual,
    Greater,
    LessOrEqual,
    Less,
}

/// @eq and its kin.
#[derive(Clone, Debug)]
pub struct Number {
    comparison: Comparison,
    argument: Template,
}

impl Number {
    pub fn new(comparison: Comparison, argument: Template) -> Self {
        Self { comparison, argument }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let value = whole_number(value);
        let argument = whole_number(&self.argument.expand(values));
        hit(match self.comparison {
            Comparison::Equal => value == argument,
            Comparison::GreaterOrEqual => value >= argument,
            Comparison::Greater => value > argument,
            Comparison::LessOrEqual => value <= argument,
            Comparison::Less => value < argument,
        })
    }
}

/// The number that the text starts with; 0 without one; the nearest i64 past its range.
pub fn whole_number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let mut number = 0_i64;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        number = number.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    if negative { -number } else { number }
}

//! @streq: the value equals the argument, byte for byte.
//!
//! Argument: text, macros expanded.
//!
//! Example: `SecRule REQUEST_METHOD "!@streq GET" "id:1,phase:1,deny"`

use super::{Hit, hit};
use crate::engine::template::Template;
use crate::engine::values::Values;

/// @streq.
#[derive(Clone, Debug)]
pub struct StrEq {
    argument: Template,
}

impl StrEq {
    pub fn new(argument: Template) -> Self {
        Self { argument }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let argument = self.argument.expand(values);
        hit(*value == *argument)
    }
}

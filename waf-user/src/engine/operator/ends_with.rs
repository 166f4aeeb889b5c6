//! @endsWith: the value ends with the argument, byte for byte.
//!
//! Argument: text, macros expanded.
//!
//! Example: `SecRule REQUEST_FILENAME "@endsWith .bak" "id:1,phase:1,deny"`

use super::{Hit, hit};
use crate::engine::template::Template;
use crate::engine::values::Values;

/// @endsWith.
#[derive(Clone, Debug)]
pub struct EndsWith {
    argument: Template,
}

impl EndsWith {
    pub fn new(argument: Template) -> Self {
        Self { argument }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let argument = self.argument.expand(values);
        hit(value.ends_with(&argument))
    }
}

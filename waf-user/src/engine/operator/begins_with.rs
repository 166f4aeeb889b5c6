//! @beginsWith: the value starts with the argument, byte for byte.
//!
//! Argument: text, macros expanded.
//!
//! Example: `SecRule REQUEST_URI "@beginsWith /admin" "id:1,phase:1,deny"`

use super::{Hit, hit};
use crate::engine::template::Template;
use crate::engine::values::Values;

/// @beginsWith.
#[derive(Clone, Debug)]
pub struct BeginsWith {
    argument: Template,
}

impl BeginsWith {
    pub fn new(argument: Template) -> Self {
        Self { argument }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let argument = self.argument.expand(values);
        hit(value.starts_with(&argument))
    }
}

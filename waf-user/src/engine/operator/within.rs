//! @within: the value stands somewhere in the argument: the reverse of @contains.
//!
//! Argument: text, macros expanded; an empty value matches.
//!
//! Example: `SecRule REQUEST_METHOD "!@within GET POST HEAD" "id:1,phase:1,deny"`

use super::{Hit, hit};
use crate::engine::template::Template;
use crate::engine::values::Values;

/// @within.
#[derive(Clone, Debug)]
pub struct Within {
    argument: Template,
}

impl Within {
    pub fn new(argument: Template) -> Self {
        Self { argument }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let argument = self.argument.expand(values);
        hit(memchr::memmem::find(&argument, value).is_some())
    }
}

//! @contains: the argument stands somewhere in the value, byte for byte.
//!
//! Argument: text, macros expanded; empty matches every value.
//!
//! Example: `SecRule REQUEST_HEADERS:User-Agent "@contains sqlmap" "id:1,phase:1,deny"`

use super::Hit;
use crate::engine::template::Template;
use crate::engine::values::Values;

/// @contains.
#[derive(Clone, Debug)]
pub struct Contains {
    argument: Template,
}

impl Contains {
    pub fn new(argument: Template) -> Self {
        Self { argument }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let argument = self.argument.expand(values);
        let found = memchr::memmem::find(value, &argument)?;
        Some(smallvec::smallvec![(found, found + argument.len())])
    }
}

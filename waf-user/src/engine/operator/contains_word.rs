//! @containsWord: the argument stands somewhere in the value, with no letter or digit before or after it.
//!
//! Argument: text, macros expanded; empty matches every value.
//!
//! Example: `SecRule ARGS "@containsWord alert" "id:1,phase:2,deny"`

use super::Hit;
use crate::engine::template::Template;
use crate::engine::values::Values;

/// @containsWord.
#[derive(Clone, Debug)]
pub struct ContainsWord {
    argument: Template,
}

impl ContainsWord {
    pub fn new(argument: Template) -> Self {
        Self { argument }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let argument = self.argument.expand(values);
        if argument.is_empty() {
            return Some(smallvec::smallvec![(0, 0)]);
        }
        let edge = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        // Prepared once: a request may fill argument and value with words in words.
        let finder = memchr::memmem::Finder::new(&*argument);
        let mut from = 0;
        while let Some(found) = finder.find(value.get(from..)?) {
            let (start, end) = (from + found, from + found + argument.len());
            if edge(start.checked_sub(1).and_then(|before| value.get(before))) && edge(value.get(end)) {
                return Some(smallvec::smallvec![(start, end)]);
            }
            // No place inside the same word starts one: a long run of letters is looked at once.
            let word = value.iter().skip(start).take_while(|byte| byte.is_ascii_alphanumeric()).count();
            from = start + word.max(1);
        }
        None
    }
}

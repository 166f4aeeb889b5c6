//! @rx: the regular expression matches somewhere in the value. Case counts unless `(?i)` says otherwise.
//!
//! Argument: a pattern in the syntax of PCRE. The time is linear in the value, but for look-around and back-references, whose
//! search may end unanswered: no match, and TX:MSC_PCRE_LIMITS_EXCEEDED. With macros the pattern is compiled anew for
//! each expansion: slow, bounded in number and length, and a miss where the expansion is no pattern.
//!
//! Example: `SecRule ARGS "@rx (?i)union\s+select" "id:1,phase:2,deny,capture"`

use std::sync::atomic::Ordering;

use super::{ArgumentError, Hit};
use crate::engine::pattern::Pattern;
use crate::engine::template::Template;
use crate::engine::values::Values;

/// Groups that TX.0 to TX.9 can hold.
pub const GROUPS: usize = 10;

/// @rx.
#[derive(Clone, Debug)]
pub enum Rx {
    Fixed(Pattern),
    /// Holds macros.
    Expanded(Template),
}

impl Rx {
    /// # Errors
    /// Not a pattern; see [`Pattern::shared`].
    pub fn new(argument: &[u8]) -> Result<Self, ArgumentError> {
        // `%{` that names a variable is a macro; anything else is part of the pattern.
        if let Ok(template) = Template::parse(argument)
            && template.as_literal().is_none()
        {
            return Ok(Self::Expanded(template));
        }
        let malformed = |reason: String| ArgumentError::Malformed { operator: "@rx", reason };
        Pattern::of_bytes(argument).map(Self::Fixed).map_err(|error| malformed(error.reason))
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        self.matches_from(value, 0, values)
    }

    /// Hot: per value. The first match at or after byte `from`.
    pub fn matches_from(&self, value: &[u8], from: usize, values: &Values) -> Hit {
        let patience = &values.patience;
        let found = match self {
            Self::Fixed(pattern) => pattern.captures(value, from, GROUPS, patience),
            Self::Expanded(template) => match patience.momentary(&template.expand(values)) {
                Ok(pattern) => pattern?.captures(value, from, GROUPS, patience),
                Err(spent) => Err(spent),
            },
        };
        if found.is_err() {
            values.pattern_spent.store(true, Ordering::Relaxed);
        }
        found.ok().flatten()
    }
}

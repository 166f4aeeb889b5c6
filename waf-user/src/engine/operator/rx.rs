//! @rx: the regular expression matches somewhere in the value. Case counts unless `(?i)` says otherwise.
//!
//! Argument: a pattern in the syntax of the `regex` crate; the time is linear in the value. With macros it is compiled
//! anew for each value: slow, and a miss where the expansion is no pattern.
//!
//! Example: `SecRule ARGS "@rx (?i)union\s+select" "id:1,phase:2,deny,capture"`

use regex::bytes::Regex;

use super::{ArgumentError, Hit, Spans};
use crate::engine::pattern::Pattern;
use crate::engine::template::Template;
use crate::engine::values::Values;

/// Groups that TX.0 to TX.9 can hold.
const GROUPS: usize = 10;

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
        let malformed = |reason: String| ArgumentError::Malformed { operator: "@rx", reason };
        // `%{` that names a variable is a macro; anything else is part of the pattern.
        if let Ok(template) = Template::parse(argument)
            && template.as_literal().is_none()
        {
            return Ok(Self::Expanded(template));
        }
        let text =
            std::str::from_utf8(argument).map_err(|_| malformed("the pattern is not UTF-8".to_owned()))?;
        Pattern::shared(text).map(Self::Fixed).map_err(|error| malformed(error.reason))
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        match self {
            Self::Fixed(pattern) => spans(pattern.regex(), value),
            Self::Expanded(template) => {
                let text = template.expand(values);
                let pattern = Pattern::momentary(std::str::from_utf8(&text).ok()?).ok()?;
                spans(pattern.regex(), value)
            }
        }
    }
}

fn spans(regex: &Regex, value: &[u8]) -> Hit {
    // The cheap question first: most values match no pattern.
    if !regex.is_match(value) {
        return None;
    }
    let captures = regex.captures(value)?;
    let groups = captures.iter().take(GROUPS);
    Some(groups.map(|group| group.map_or((0, 0), |group| (group.start(), group.end()))).collect::<Spans>())
}

//! What an error is answered with: `application/problem+json` (RFC 9457) with the mistakes of a request beside it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that is wrong in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    /// Where: `wishes[2].sheet: peak.requests_s`.
    pub field: String,
    pub error: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cure: String,
}

/// Why a request was refused. `type` is always about:blank, so `title` is that of the status (RFC 9457 §4.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    pub title: String,
    pub status: u16,
    /// What is wrong, for a person.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cure: String,
    /// Each of the mistakes, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.status)?;
        if let [only] = self.mistakes.as_slice()
            && self.detail == format!("{}: {}", only.field, only.error)
        {
            // The detail has told it already.
            return match only.cure.as_str() {
                "" => Ok(()),
                cure => write!(f, "\n  {cure}"),
            };
        }
        for mistake in &self.mistakes {
            write!(f, "\n  {}: {}", mistake.field, mistake.error)?;
            if !mistake.cure.is_empty() {
                write!(f, "; {}", mistake.cure)?;
            }
        }
        if !self.cure.is_empty() {
            write!(f, "\n  {}", self.cure)?;
        }
        Ok(())
    }
}

//! A place in the audit log, from which older entries are read on. The log is two series, each numbered without a gap:
//! revisions of the ledger, and changes beside it.

use std::fmt;
use std::str::FromStr;

/// Everything of either series that is older than these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCursor {
    /// Only entries of older revisions.
    pub revision: u64,
    /// Only entries of smaller numbers.
    pub aside: u64,
}

impl fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.revision, self.aside)
    }
}

/// The text is none of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place in the audit log: give the one that came with the page before")]
pub struct AuditCursorError(String);

impl FromStr for AuditCursor {
    type Err = AuditCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('.').and_then(|(revision, aside)| {
            let (revision, aside) = (revision.parse().ok()?, aside.parse().ok()?);
            Some(Self { revision, aside })
        });
        numbers.ok_or_else(|| AuditCursorError(text.chars().take(40).collect()))
    }
}

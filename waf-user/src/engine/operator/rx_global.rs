//! @rxGlobal: as @rx; capture goes on to further matches until TX.0 to TX.9 are full.
//!
//! Argument: as @rx.
//!
//! Example: `SecRule ARGS "@rxGlobal [a-z]+=([0-9]+)" "id:1,phase:2,pass,capture"`

use super::rx::GROUPS;
use super::{ArgumentError, Hit, Rx, Spans};
use crate::engine::values::Values;

/// @rxGlobal.
#[derive(Clone, Debug)]
pub struct RxGlobal {
    rx: Rx,
}

impl RxGlobal {
    /// # Errors
    /// Not a pattern.
    pub fn new(argument: &[u8]) -> Result<Self, ArgumentError> {
        Rx::new(argument).map(|rx| Self { rx })
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let mut all = self.rx.matches(value, values)?;
        let mut from = end(&all);
        while all.len() < GROUPS && from < value.len() {
            let Some(next) = self.rx.matches_from(value, from, values) else { break };
            let stop = end(&next);
            if next.first().is_some_and(|(start, end)| start < end) {
                all.extend(next);
            }
            from = stop.max(from + 1);
        }
        all.truncate(GROUPS);
        Some(all)
    }
}

fn end(spans: &Spans) -> usize {
    spans.first().map_or(0, |(_, end)| *end)
}

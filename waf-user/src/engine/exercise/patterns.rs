//! Any bytes as a pattern: it is refused or compiled in bounded time, spans lie inside the value, and where it needs no
//! backtracking the search in linear time and the one by backtracking agree.

use crate::engine::pattern::{Patience, Pattern, Searched, searched_both_ways};

/// The first byte is the pattern's length; the rest is the value.
pub fn pattern(input: &[u8]) {
    let Some((length, rest)) = input.split_first() else { return };
    let (text, value) = rest.split_at_checked(usize::from(*length)).unwrap_or((rest, b""));
    let Ok(pattern) = Pattern::momentary(text) else { return };
    if let Ok(Some(spans)) = pattern.captures(value, 0, 10, &Patience::default()) {
        assert!(spans.iter().all(|(from, to)| from <= to && *to <= value.len()));
        assert!(!spans.is_empty() && spans.len() <= 10);
    }
    let Some((linear, backtracking)) = searched_both_ways(text, value) else { return };
    if backtracking != Searched::Spent {
        assert_eq!(linear, backtracking, "{} on {}", text.escape_ascii(), value.escape_ascii());
    }
}

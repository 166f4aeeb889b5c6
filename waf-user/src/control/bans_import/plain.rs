//! One address or prefix a line -> bans. What stands behind it, after white space, `#` or `;`, is its reason.

use super::{Gather, is_comment, lines, prefix};

pub(super) fn read(text: &str, gather: &mut Gather) {
    for (number, line) in lines(text) {
        if line.is_empty() || is_comment(line) {
            continue;
        }
        let end = line.find(|c: char| c.is_whitespace() || matches!(c, '#' | ';')).unwrap_or(line.len());
        let (source, rest) = line.split_at(end);
        let reason = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '#' | ';'));
        match prefix(source) {
            Ok(prefix) => gather.ban(number, prefix, None, Some(reason)),
            Err(fault) => gather.fault(number, fault),
        }
    }
}

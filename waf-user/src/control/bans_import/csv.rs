//! One line of comma-separated values (RFC 4180, without line breaks inside quotes) -> its fields.

use std::borrow::Cow;

use super::Fault;

/// Fields in their order, without quotes and without white space around unquoted ones.
///
/// # Errors
/// A quote that does not end on the line.
pub(super) fn fields(line: &str) -> Result<Vec<Cow<'_, str>>, Fault> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let (field, after) = unquote(quoted).ok_or(Fault::Quote)?;
                (field, after.trim_start().strip_prefix(','))
            }
            None => match rest.split_once(',') {
                Some((field, after)) => (Cow::Borrowed(field.trim()), Some(after)),
                None => (Cow::Borrowed(rest.trim()), None),
            },
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// Up to the closing quote; two quotes are one.
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut whole = String::new();
    let mut rest = text;
    loop {
        let (field, after) = rest.split_once('"')?;
        match after.strip_prefix('"') {
            Some(after) => {
                whole.push_str(field);
                whole.push('"');
                rest = after;
            }
            None if whole.is_empty() => return Some((Cow::Borrowed(field), after)),
            None => {
                whole.push_str(field);
                return Some((Cow::Owned(whole), after));
            }
        }
    }
}

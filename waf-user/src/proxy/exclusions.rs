//! A tenant's exclusions and a request's target -> those that hold for this request. What they take from which rule is the
//! engine's matter.

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::{self, PathMatch};
use crate::engine::{self, Exclude};

/// One tenant's exclusions, prepared when the configuration is read.
#[derive(Clone, Debug, Default)]
pub struct Exclusions {
    all: Vec<(Option<PathMatch>, Arc<engine::Exclusion>)>,
    /// Whether a path has to be looked at.
    by_path: bool,
}

impl Exclusions {
    pub fn new(exclusions: &[config::Exclusion]) -> Self {
        let prepared = |exclusion: &config::Exclusion| {
            let what: Vec<Exclude<'_>> = [
                exclusion.parameter.as_deref().map(Exclude::Parameter),
                exclusion.cookie.as_deref().map(Exclude::Cookie),
                exclusion.header.as_deref().map(Exclude::Header),
            ]
            .into_iter()
            .flatten()
            .collect();
            (exclusion.path.clone(), Arc::new(engine::Exclusion::new(&exclusion.rules, &what)))
        };
        let all: Vec<_> = exclusions.iter().map(prepared).collect();
        let by_path = all.iter().any(|(path, _)| path.is_some());
        Self { all, by_path }
    }

    /// Hot: per request. Those that hold for a request target. A path that two servers may take for different ones is no
    /// path that an exclusion means: then more is judged, not less.
    pub(super) fn of<'a>(&'a self, target: &[u8]) -> impl Iterator<Item = &'a Arc<engine::Exclusion>> {
        let path = if self.by_path { plain_path(target).map(Cow::into_owned) } else { None };
        self.all.iter().filter_map(move |(wanted, exclusion)| {
            let holds = match wanted {
                None => true,
                Some(wanted) => path.as_deref().is_some_and(|path| wanted.matches(path)),
            };
            holds.then_some(exclusion)
        })
    }
}

/// The target's path with percent-encoding undone, if it has one meaning: no dot segments (not even with path parameters),
/// empty segments, backslashes, control characters, encoded slashes or anything encoded twice.
fn plain_path(target: &[u8]) -> Option<Cow<'_, [u8]>> {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    let raw = target.get(..end).filter(|path| path.first() == Some(&b'/'))?;
    let path = percent_decoded(raw)?;
    let is_odd = |byte: &u8| *byte == b'\\' || *byte == b'%' || byte.is_ascii_control();
    if path.iter().any(is_odd) {
        return None;
    }
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        let is_last = segments.peek().is_none();
        if matches!(name, b"." | b"..") || (name.is_empty() && !(is_last && segment.is_empty())) {
            return None;
        }
    }
    Some(path)
}

/// None: malformed, or a slash was encoded.
fn percent_decoded(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !raw.contains(&b'%') {
        return Some(Cow::Borrowed(raw));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(*byte).to_digit(16));
        let value = u8::try_from(digit()? * 16 + digit()?).ok()?;
        if value == b'/' {
            return None;
        }
        decoded.push(value);
    }
    Some(Cow::Owned(decoded))
}

#[cfg(test)]
mod tests;

//! t:normalizePath: double slashes, /./ and directory/../ resolved; leading .. of a relative path stay. Also spelt normalisePath.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_FILENAME "@beginsWith /admin" "id:1,phase:2,deny,t:normalizePath"`

use std::borrow::Cow;

/// Hot: per value. Linear: segments are kept on a stack.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    let absolute = value.starts_with(b"/");
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in value.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." if segments.last().is_some_and(|last| *last != b"..") => {
                segments.pop();
            }
            b".." if absolute => {}
            other => segments.push(other),
        }
    }
    let mut path = Vec::with_capacity(value.len());
    if absolute {
        path.push(b'/');
    }
    path.extend_from_slice(&segments.join(b"/".as_slice()));
    if value.ends_with(b"/") && !segments.is_empty() {
        path.push(b'/');
    }
    match path == value {
        true => Cow::Borrowed(value),
        false => Cow::Owned(path),
    }
}

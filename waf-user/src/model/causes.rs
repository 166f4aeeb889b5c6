//! An error and its causes -> one line, for a field of a log or of an answer.

use std::error::Error;

/// `what was done: why: why that`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

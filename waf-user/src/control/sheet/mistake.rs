//! What is wrong in a sheet: field, value, what was expected and the cure, one line each.

use std::fmt;

use super::document::Document;

/// Characters of a value that a message repeats.
const QUOTE_LEN_MAX: usize = 80;

/// One mistake in a sheet. Texts only: the API and the command line show them as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {value} {what}; {cure}")]
pub struct SheetError {
    /// As it is written: `peak.requests_s`, `origins[2]`.
    pub field: String,
    /// As it was written, shortened; never that of a key.
    pub value: String,
    pub what: String,
    pub cure: String,
}

/// Everything that is wrong in one sheet, in the order of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetErrors(pub Vec<SheetError>);

impl fmt::Display for SheetErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.0 {
            writeln!(f, "{error}")?;
        }
        let noun = if self.0.len() == 1 { "mistake" } else { "mistakes" };
        write!(f, "{} {noun} in the sheet", self.0.len())
    }
}

impl std::error::Error for SheetErrors {}

/// Collects mistakes; a sheet is made of what remains, if there was none.
#[derive(Default)]
pub(super) struct Mistakes(Vec<SheetError>);

impl Mistakes {
    pub fn add(&mut self, field: &str, value: impl Into<String>, what: impl fmt::Display, cure: &str) {
        let (field, what) = (field.to_owned(), what.to_string());
        self.0.push(SheetError { field, value: value.into(), what, cure: cure.to_owned() });
    }

    pub fn missing(&mut self, field: &str, cure: &str) {
        self.add(field, "(nothing)", "is required", cure);
    }

    /// `value` if no mistake was made on the way to it.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, SheetErrors> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(SheetErrors(self.0)),
        }
    }
}

/// A value for a message: short, on one line, control characters escaped.
pub(super) fn quote(value: &Document) -> String {
    match value {
        Document::Null => "null".to_owned(),
        Document::Flag(flag) => flag.to_string(),
        Document::Number(number) => number.to_string(),
        Document::Odd(number) => number.clone(),
        Document::Text(text) => quote_text(text),
        Document::List(items) => format!("(a list of {})", items.len()),
        Document::Table(fields) => format!("(a table of {})", fields.len()),
    }
}

pub(super) fn quote_text(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTE_LEN_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

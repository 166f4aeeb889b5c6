//! Text with `%{VARIABLE.key}` macros -> its expansion with one transaction's values.

use std::borrow::Cow;

use super::limits;
use super::values::Values;
use super::variable::{Shape, Variable};

/// Text that may hold macros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Macro { variable: Variable, key: Option<Vec<u8>> },
}

/// A macro that names no variable; byte offsets of the name in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMacro {
    pub name: String,
    pub at: usize,
}

impl Template {
    /// Text without macros.
    pub fn literal(text: &[u8]) -> Self {
        Self { parts: vec![Part::Literal(text.to_vec())] }
    }

    /// `%{` without `}` within [`limits::MACRO_BYTES`] is plain text, as in the reference engine.
    ///
    /// # Errors
    /// The macro names no variable we know.
    pub fn parse(text: &[u8]) -> Result<Self, UnknownMacro> {
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let rest = text.get(at..).unwrap_or_default();
            let named = rest.iter().take(limits::MACRO_BYTES);
            let close =
                rest.starts_with(b"%{").then(|| named.copied().position(|byte| byte == b'}')).flatten();
            let Some(close) = close else {
                literal.push(*byte);
                at += 1;
                continue;
            };
            let inner = rest.get(2..close).unwrap_or_default();
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(macro_part(inner).ok_or_else(|| UnknownMacro {
                name: String::from_utf8_lossy(inner).into_owned(),
                at: at + 2,
            })?);
            at += close + 1;
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// The text itself where it holds no macro.
    pub fn as_literal(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text as written, for people.
    pub fn written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => String::from_utf8_lossy(text).into_owned(),
            Part::Macro { variable, key: None } => format!("%{{{}}}", variable.name()),
            Part::Macro { variable, key: Some(key) } => {
                format!("%{{{}.{}}}", variable.name(), String::from_utf8_lossy(key))
            }
        };
        self.parts.iter().map(part).collect()
    }

    /// Unknown names inside a collection expand to nothing. Cut at [`limits::EXPANSION_BYTES`].
    pub fn expand<'a>(&'a self, values: &'a Values) -> Cow<'a, [u8]> {
        if let Some(text) = self.as_literal() {
            return Cow::Borrowed(text);
        }
        let mut text = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(bytes) => text.extend_from_slice(bytes),
                Part::Macro { variable, key } => {
                    if let Some(value) = values.first(*variable, key.as_deref()) {
                        text.extend_from_slice(&value);
                    }
                }
            }
            if text.len() > limits::EXPANSION_BYTES {
                text.truncate(limits::EXPANSION_BYTES);
                break;
            }
        }
        Cow::Owned(text)
    }

    /// The expansion for people.
    pub fn expand_lossy(&self, values: &Values) -> String {
        String::from_utf8_lossy(&self.expand(values)).into_owned()
    }
}

fn macro_part(inner: &[u8]) -> Option<Part> {
    let dot = inner.iter().position(|byte| matches!(byte, b'.' | b':'));
    let name = inner.get(..dot.unwrap_or(inner.len())).unwrap_or_default();
    let variable = Variable::named(std::str::from_utf8(name).ok()?)?;
    let key = dot.and_then(|dot| inner.get(dot + 1..)).map(<[u8]>::to_vec);
    match (variable.shape(), &key) {
        (Shape::Scalar, Some(_)) => None,
        _ => Some(Part::Macro { variable, key }),
    }
}

#[cfg(test)]
mod tests;

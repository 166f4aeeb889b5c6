//! A TOML table -> typed values, with a mistake noted for every value of another type, every missing required key and
//! every key that nobody asked for. Knows no key of its own.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistakes, Span};

/// Edits by which an unknown key may differ from a known one to be taken for it.
const EDITS_MAX: usize = 2;

/// A value that may be written either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberOrText<'a> {
    Number(u64),
    Text(&'a str),
}

/// One table being read. Ask for every key, then call [`Table::finish`].
pub(super) struct Table<'a> {
    name: String,
    span: Span,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
    mistakes: &'a Mistakes<'a>,
}

impl<'a> Table<'a> {
    pub fn new(name: &str, span: Span, entries: &'a DeTable<'a>, mistakes: &'a Mistakes<'a>) -> Self {
        Self { name: name.to_owned(), span, entries, asked: RefCell::default(), mistakes }
    }

    /// Where the table's header stands.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Where a key's value stands, or the header where it is not set.
    pub fn span_of(&self, key: &str) -> Span {
        self.entries.get(key).map_or(self.span(), Spanned::span)
    }

    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub fn is_empty_list(&self, key: &str) -> bool {
        self.entries
            .get(key)
            .is_some_and(|value| matches!(value.get_ref(), DeValue::Array(items) if items.is_empty()))
    }

    pub fn mistakes(&self) -> &'a Mistakes<'a> {
        self.mistakes
    }

    /// Notes a missing key; `example` is a line that would do.
    pub fn require(&self, key: &'static str, example: &str) {
        if !self.has(key) {
            self.mistakes.add(self.span(), format!("{} lacks `{key}`", self.name), format!("add {example}"));
        }
    }

    pub fn text(&self, key: &'static str) -> Option<Spanned<&'a str>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned::new(value.span(), text.as_ref())),
            other => self.wrong_type(value.span(), key, "a string", other),
        }
    }

    /// A string that `parse` turns into a value. `cure` says what it should look like.
    pub fn parsed<T, E: Display>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
        cure: &str,
    ) -> Option<Spanned<T>> {
        let text = self.text(key)?;
        self.parse_one(key, &text, &parse, cure)
    }

    pub fn texts(&self, key: &'static str) -> Vec<Spanned<&'a str>> {
        let mut texts = Vec::new();
        for value in self.items(key) {
            match value.get_ref() {
                DeValue::String(text) => texts.push(Spanned::new(value.span(), text.as_ref())),
                other => drop(self.wrong_type::<()>(value.span(), key, "a list of strings", other)),
            }
        }
        texts
    }

    /// A list of strings, each turned into a value.
    pub fn parsed_list<T, E: Display>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
        cure: &str,
    ) -> Vec<Spanned<T>> {
        self.texts(key).iter().filter_map(|text| self.parse_one(key, text, &parse, cure)).collect()
    }

    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.value(key) else { return default };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            other => self.wrong_type(value.span(), key, "true or false", other).unwrap_or(default),
        }
    }

    pub fn number(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        self.number_of(key, value, &range)
    }

    /// A whole number or a string; `wanted` says of what.
    pub fn number_or_text(&self, key: &'static str, wanted: &str) -> Option<Spanned<NumberOrText<'a>>> {
        let value = self.value(key)?;
        let found = match value.get_ref() {
            DeValue::String(text) => NumberOrText::Text(text.as_ref()),
            DeValue::Integer(integer) => match u64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(number) => NumberOrText::Number(number),
                Err(_) => NumberOrText::Text(integer.as_str()),
            },
            other => return self.wrong_type(value.span(), key, wanted, other),
        };
        Some(Spanned::new(value.span(), found))
    }

    pub fn numbers(&self, key: &'static str, range: RangeInclusive<u64>) -> Vec<Spanned<u64>> {
        self.items(key).iter().filter_map(|value| self.number_of(key, value, &range)).collect()
    }

    /// A number that may have a fraction.
    pub fn fraction(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            other => return self.wrong_type(value.span(), key, "a number", other),
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => self.out_of_range(value.span(), key, range.start(), range.end()),
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| word == text.get_ref());
        if found.is_none() {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("`{key}` has no value {:?}", text.get_ref());
            self.mistakes.add(text.span(), message, format!("write one of: {}", list.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    /// A table below this one; `name` as an operator writes it, such as `[log]`.
    pub fn table(&self, key: &'static str, name: &str) -> Option<Table<'a>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(entries) => Some(Table::new(name, value.span(), entries, self.mistakes)),
            other => self.wrong_type(value.span(), key, "a table", other),
        }
    }

    /// The tables of an array of tables.
    pub fn tables(&self, key: &'static str, name: &str) -> Vec<Table<'a>> {
        let mut tables = Vec::new();
        for value in self.items(key) {
            match value.get_ref() {
                DeValue::Table(entries) => {
                    tables.push(Table::new(name, value.span(), entries, self.mistakes));
                }
                other => drop(self.wrong_type::<()>(value.span(), key, "an array of tables", other)),
            }
        }
        tables
    }

    /// All keys with string values, for a table whose keys are the operator's own.
    pub fn free_texts(&self) -> Vec<(Spanned<&'a str>, Spanned<&'a str>)> {
        let mut pairs = Vec::new();
        for (key, value) in self.entries {
            let name: &'a str = key.get_ref().as_ref();
            match value.get_ref() {
                DeValue::String(text) => {
                    pairs.push((Spanned::new(key.span(), name), Spanned::new(value.span(), text.as_ref())));
                }
                other => drop(self.wrong_type::<()>(value.span(), name, "a string", other)),
            }
        }
        pairs
    }

    /// Notes every key that was not asked for.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let cure = match nearest(name, &asked) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", asked.join(", ")),
            };
            self.mistakes.add(key.span(), format!("unknown key `{name}` in {}", self.name), cure);
        }
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.entries.get(key)
    }

    fn items(&self, key: &'static str) -> &'a [Spanned<DeValue<'a>>] {
        let Some(value) = self.value(key) else { return &[] };
        match value.get_ref() {
            DeValue::Array(items) => items,
            other => self.wrong_type(value.span(), key, "a list", other).unwrap_or(&[]),
        }
    }

    fn parse_one<T, E: Display>(
        &self,
        key: &str,
        text: &Spanned<&str>,
        parse: impl Fn(&str) -> Result<T, E>,
        cure: &str,
    ) -> Option<Spanned<T>> {
        match parse(text.get_ref()) {
            Ok(value) => Some(Spanned::new(text.span(), value)),
            Err(error) => {
                self.mistakes.add(text.span(), format!("`{key}`: {error}"), cure);
                None
            }
        }
    }

    fn number_of(
        &self,
        key: &str,
        value: &Spanned<DeValue<'a>>,
        range: &RangeInclusive<u64>,
    ) -> Option<Spanned<u64>> {
        let DeValue::Integer(integer) = value.get_ref() else {
            return self.wrong_type(value.span(), key, "a whole number", value.get_ref());
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(Spanned::new(value.span(), number)),
            None => self.out_of_range(value.span(), key, range.start(), range.end()),
        }
    }

    fn wrong_type<T>(&self, span: Span, key: &str, wanted: &str, found: &DeValue<'_>) -> Option<T> {
        self.mistakes.add(span, format!("`{key}` is {wanted}, not {}", type_name(found)), "");
        None
    }

    fn out_of_range<T>(&self, span: Span, key: &str, low: impl Display, high: impl Display) -> Option<T> {
        self.mistakes.add(
            span,
            format!("`{key}` is out of range"),
            format!("write a number in {low}..{high}"),
        );
        None
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The known key that differs least, if it differs little enough to be meant.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let limit = EDITS_MAX.min(name.len() / 2);
    known
        .iter()
        .map(|key| (edits(name, key), *key))
        .filter(|(edits, _)| *edits <= limit)
        .min()
        .map(|(_, key)| key)
}

/// Levenshtein distance in bytes; O(n·m) on keys of an operator's file.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = (diagonal + usize::from(x != y)).min(*cell + 1).min(left + 1);
            diagonal = *cell;
            *cell = cost;
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

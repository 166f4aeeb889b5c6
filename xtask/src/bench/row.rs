//! One measured row: made where it is measured, carried as a line of JSON, read and printed by `cargo xtask bench`. Knows
//! the targets, not how anything is measured.

use std::fmt;

use serde_json::{Value, json};

/// Targets that are ratios: row, must, aim. A smaller ratio is better in all of them.
const TARGETS: [(&str, f64, f64); 12] = [
    ("L1", 1.3, 0.9),
    ("L2", 0.1, 0.025),
    ("L3", 0.02, 0.0033),
    ("L4", 0.05, 0.0125),
    ("L5", 0.1, 0.025),
    ("K1", 6.0, 4.0),
    ("K2", 1.5, 1.0),
    ("K3", 0.25, 0.1),
    ("K4", 4.0, 2.5),
    ("K5", 1.1, 1.05),
    // Of the 50 ms that must do; the aim is 5 ms.
    ("K7", 1.0, 0.1),
    // Of the second within which a ban is at the other carrier.
    ("fleet-ban", 1.0, 0.1),
];

/// A subject beside what it is compared with, in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Of targets.md, or a word of ours where there is no target.
    pub id: String,
    pub what: String,
    pub base: String,
    pub unit: String,
    /// Medians, in `unit`.
    pub subject_value: f64,
    pub base_value: f64,
    /// Median of the pairs' ratios, and the lowest and highest of them.
    pub ratio: f64,
    pub ratio_low: f64,
    pub ratio_high: f64,
}

/// What a measuring program says, a line each.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Row(Row),
    /// Something that qualifies the rows before it.
    Note(String),
    /// A row that could not be measured, and why.
    Failed(String),
}

impl Row {
    /// From pairs (subject, base) measured one after the other; none where there is no pair.
    pub fn of_pairs(id: &str, what: &str, base: &str, unit: &str, pairs: &[(f64, f64)]) -> Option<Self> {
        let sorted = |pick: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = pairs.iter().map(pick).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let ratios = sorted(|(subject, base)| subject / base);
        Some(Self {
            id: id.to_owned(),
            what: what.to_owned(),
            base: base.to_owned(),
            unit: unit.to_owned(),
            subject_value: median(&sorted(|pair| pair.0))?,
            base_value: median(&sorted(|pair| pair.1))?,
            ratio: median(&ratios)?,
            ratio_low: *ratios.first()?,
            ratio_high: *ratios.last()?,
        })
    }

    /// Must and aim, for a row of targets.md that is a ratio.
    pub fn target(&self) -> Option<(f64, f64)> {
        TARGETS.iter().find(|(id, ..)| *id == self.id).map(|(_, must, aim)| (*must, *aim))
    }

    /// How the ratio stands to its target, in a word.
    pub fn verdict(&self) -> &'static str {
        match self.target() {
            Some((_, aim)) if self.ratio <= aim => "aim",
            Some((must, _)) if self.ratio <= must => "must",
            Some(_) => "MISSED",
            None => "",
        }
    }

    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "row": self.id, "what": self.what, "base": self.base, "unit": self.unit,
            "subject_value": self.subject_value, "base_value": self.base_value,
            "ratio": self.ratio, "ratio_low": self.ratio_low, "ratio_high": self.ratio_high,
        });
        if let Some((must, aim)) = self.target() {
            value["must"] = must.into();
            value["aim"] = aim.into();
            value["verdict"] = self.verdict().into();
        }
        value
    }
}

impl Line {
    pub fn to_json(&self) -> Value {
        match self {
            Self::Row(row) => row.to_json(),
            Self::Note(text) => json!({ "note": text }),
            Self::Failed(why) => json!({ "failed": why }),
        }
    }

    /// A line that [`Line::to_json`] wrote; none for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        if let Some(note) = value["note"].as_str() {
            return Some(Self::Note(note.to_owned()));
        }
        if let Some(why) = value["failed"].as_str() {
            return Some(Self::Failed(why.to_owned()));
        }
        let word = |name: &str| value[name].as_str().map(str::to_owned);
        let number = |name: &str| value[name].as_f64();
        Some(Self::Row(Row {
            id: word("row")?,
            what: word("what")?,
            base: word("base")?,
            unit: word("unit")?,
            subject_value: number("subject_value")?,
            base_value: number("base_value")?,
            ratio: number("ratio")?,
            ratio_low: number("ratio_low")?,
            ratio_high: number("ratio_high")?,
        }))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => row.fmt(f),
            Self::Note(text) => write!(f, "      note: {text}"),
            Self::Failed(why) => write!(f, "NOT MEASURED: {why}"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, what, base, unit, subject_value, base_value, ratio, ratio_low, ratio_high } = self;
        write!(
            f,
            "{id:<7} {what:<58} {subject_value:>9.1} {unit:<7} / {base_value:>8.1} {base:<22} = {ratio:>6.3}x \
             ({ratio_low:.3}..{ratio_high:.3})"
        )?;
        match self.target() {
            Some((must, aim)) => write!(f, "  must {must}x, aim {aim}x: {}", self.verdict()),
            None => Ok(()),
        }
    }
}

/// Of sorted values.
fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests;

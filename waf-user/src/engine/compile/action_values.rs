//! The values of single actions: numbers, phases, severities, transformations and text with macros.

use super::Compiler;
use super::actions::{ActionSet, Written};
use crate::engine::rule::{Allow, Disruptive, Phase};
use crate::engine::template::Template;
use crate::engine::text::Word;
use crate::engine::transformation::Transformation;

/// Severities by name; the index is the number.
const SEVERITIES: [&str; 8] =
    ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];

impl Compiler<'_> {
    pub(super) fn transformation(&mut self, set: &mut ActionSet, value: &Word) {
        match Transformation::named(&value.lossy()) {
            Some(Transformation::None) => {
                set.transformations.clear();
                set.drops_defaults = true;
            }
            Some(transformation) => set.transformations.push(transformation),
            None => {
                self.unknown("transformation", value, Transformation::ALL.iter().map(|known| known.name()))
            }
        }
    }

    pub(super) fn phase(&mut self, value: &Word) -> Option<Phase> {
        let phase = Phase::named(&value.lossy());
        if phase.is_none() {
            self.mistake(value.whole(), format!("no phase `{}`", value.lossy()), "use 1 to 5");
        }
        phase
    }

    pub(super) fn severity(&mut self, value: &Word) -> Option<u8> {
        let text = value.lossy();
        let named = SEVERITIES.iter().position(|name| name.eq_ignore_ascii_case(&text));
        let number = text.parse::<usize>().ok().filter(|number| *number < SEVERITIES.len());
        if named.or(number).is_none() {
            self.unknown("severity", value, SEVERITIES.into_iter());
        }
        named.or(number).and_then(|number| u8::try_from(number).ok())
    }

    pub(super) fn allow(&mut self, value: &Word) -> Option<Written> {
        let allow = match value.lossy().to_ascii_lowercase().as_str() {
            "phase" => Allow::Phase,
            "request" => Allow::Request,
            _ => {
                self.mistake(
                    value.whole(),
                    format!("no allow:{}", value.lossy()),
                    "use allow, allow:phase or allow:request",
                );
                return None;
            }
        };
        Some(Written::Own(Disruptive::Allow(allow)))
    }

    pub(super) fn template(&mut self, value: &Word) -> Option<Template> {
        match Template::parse(&value.text) {
            Ok(template) => Some(template),
            Err(unknown) => {
                let message = format!("the macro %{{{}}} names no known variable", unknown.name);
                self.mistake(value.place(unknown.at, unknown.name.len()), message, "");
                None
            }
        }
    }

    pub(super) fn number(&mut self, value: &Word, min: u64, max: u64) -> Option<u64> {
        let text = value.lossy();
        let number = text.parse::<u64>().ok().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            let cure =
                if max == u64::MAX { format!("use {min} or more") } else { format!("use {min} to {max}") };
            self.mistake(value.whole(), format!("`{text}` is not a number that fits here"), cure);
        }
        number
    }
}

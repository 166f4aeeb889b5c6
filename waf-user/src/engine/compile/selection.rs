//! `NAME:selector` -> a selection of values.

use super::Compiler;
use crate::engine::pattern::Pattern;
use crate::engine::rule::{Selection, Selector};
use crate::engine::text::{TargetText, Word};
use crate::engine::variable::{Shape, Variable};

/// All text, each attribute, each text.
const XPATHS: [&[u8]; 3] = [b"/*", b"//@*", b"//text()"];

impl Compiler<'_> {
    /// None: the mistake is noted.
    pub(super) fn selection(&mut self, target: &TargetText) -> Option<Selection> {
        let name = target.name.lossy();
        let Some(variable) = Variable::named(&name) else {
            self.unknown("variable", &target.name, Variable::ALL.iter().map(|variable| variable.name()));
            return None;
        };
        let selector = match &target.selector {
            None => Selector::All,
            Some(word) if variable.shape() == Shape::Scalar => {
                let message = format!("{} has one value and takes no `:`", variable.name());
                self.mistake(word.whole(), message, "remove the colon and what follows");
                return None;
            }
            Some(word) if variable == Variable::Xml => self.xpath(word)?,
            Some(word) => self.selector(word)?,
        };
        Some(Selection { variable, selector })
    }

    /// The paths whose values an XML body gives.
    fn xpath(&mut self, word: &Word) -> Option<Selector> {
        if XPATHS.iter().any(|known| word.text == *known) {
            return Some(Selector::Name(word.text.clone()));
        }
        let message = format!("the path `{}` is not supported", word.lossy());
        self.mistake(word.whole(), message, "use /*, //@* or //text()");
        None
    }

    fn selector(&mut self, word: &Word) -> Option<Selector> {
        let text = word.lossy();
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let Some(pattern) = inner.filter(|pattern| !pattern.is_empty()) else {
            if word.text.is_empty() {
                self.mistake(
                    word.whole(),
                    "a name is missing after the colon",
                    "remove the colon, or add the name",
                );
                return None;
            }
            return Some(Selector::Name(word.text.to_ascii_lowercase()));
        };
        match Pattern::shared(&format!("(?i){pattern}")) {
            Ok(compiled) => Some(Selector::Pattern(compiled, pattern.as_bytes().to_vec())),
            Err(error) => {
                self.mistake(word.whole(), error.to_string(), "");
                None
            }
        }
    }
}

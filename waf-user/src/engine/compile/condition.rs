//! Targets and operator of a SecRule -> its condition; transformations are added by the actions.

use super::Compiler;
use crate::engine::operator::{ArgumentError, Operator};
use crate::engine::rule::{Condition, Sense, Take, Target};
use crate::engine::text::statement::TargetSign;
use crate::engine::text::{OperatorText, RuleText};

impl Compiler<'_> {
    /// None: the mistakes are noted. `from` names the file, for data files beside it.
    pub(super) fn condition(&mut self, text: &RuleText, from: &str) -> Option<Condition> {
        let mistakes = self.mistakes.len();
        let (mut targets, mut excluded) = (Vec::new(), Vec::new());
        for target in &text.targets {
            let Some(selection) = self.selection(target) else { continue };
            match target.sign {
                TargetSign::Value => targets.push(Target { selection, take: Take::Values }),
                TargetSign::Count => targets.push(Target { selection, take: Take::Count }),
                TargetSign::Exclude => excluded.push(selection),
            }
        }
        if targets.is_empty() && self.mistakes.len() == mistakes {
            self.mistake(text.directive.whole(), "the rule looks at no variable", "add one without `!`");
        }
        let operator = self.operator(&text.operator, from);
        if self.mistakes.len() > mistakes {
            return None;
        }
        let sense = if text.operator.negated { Sense::Negated } else { Sense::Plain };
        let operator = operator?;
        Some(Condition {
            targets,
            excluded,
            transformations: Vec::new(),
            operator,
            sense,
            argument: text.operator.argument.text.as_slice().into(),
            multi_match: false,
        })
    }

    fn operator(&mut self, text: &OperatorText, from: &str) -> Option<Operator> {
        let access = self.access;
        let read = |path: &str| access.read(path, from).map(|file| file.text);
        let parsed = Operator::parse(&text.name.lossy(), &text.argument.text, &read);
        let error = match parsed {
            Some(Ok(operator)) => return Some(operator),
            Some(Err(error)) => error,
            None => {
                self.unknown("operator", &text.name, Operator::NAMES.iter().copied());
                return None;
            }
        };
        let place = match &error {
            ArgumentError::Macro(unknown) => text.argument.place(unknown.at, unknown.name.len()),
            _ => text.argument.whole(),
        };
        let message = match &error {
            ArgumentError::DataFile { source, .. } => format!("{error}: {source}"),
            _ => error.to_string(),
        };
        self.mistake(place, message, "");
        None
    }
}

//! `ctl:NAME=VALUE` -> a change of the running transaction.

use super::Compiler;
use crate::engine::limits;
use crate::engine::pattern::Pattern;
use crate::engine::rule::{BodyProcessor, Ctl, EngineMode, RuleFilter, Selection};
use crate::engine::text::statement::TargetSign;
use crate::engine::text::{TargetText, Word};

const NAMES: &[&str] = &[
    "ruleEngine",
    "ruleRemoveById",
    "ruleRemoveByTag",
    "ruleRemoveByMsg",
    "ruleRemoveTargetById",
    "ruleRemoveTargetByTag",
    "ruleRemoveTargetByMsg",
    "requestBodyProcessor",
    "requestBodyAccess",
    "responseBodyAccess",
    "requestBodyLimit",
    "responseBodyLimit",
    "forceRequestBodyVariable",
    "auditEngine",
    "auditLogParts",
    "debugLogLevel",
];

impl Compiler<'_> {
    /// None: the mistake is noted, or the control has no meaning here (audit and debug log).
    pub(super) fn ctl(&mut self, value: &Word) -> Option<Ctl> {
        let Some(equals) = value.text.iter().position(|byte| *byte == b'=') else {
            self.mistake(value.whole(), "ctl without `=`", "write ctl:NAME=VALUE");
            return None;
        };
        let name = value.slice(0, equals);
        let argument = value.slice(equals + 1, value.text.len());
        match name.lossy().to_ascii_lowercase().as_str() {
            "ruleengine" => self.engine_mode(&argument).map(Ctl::Engine),
            "ruleremovebyid" => self.ids(&argument).map(Ctl::RemoveRules),
            "ruleremovebytag" => self.filter_pattern(&argument).map(RuleFilter::Tag).map(Ctl::RemoveRules),
            "ruleremovebymsg" => self.filter_pattern(&argument).map(RuleFilter::Msg).map(Ctl::RemoveRules),
            "ruleremovetargetbyid" | "ruleremovetargetbytag" | "ruleremovetargetbymsg" => {
                self.remove_target(&name.lossy().to_ascii_lowercase(), &argument)
            }
            "requestbodyprocessor" => self.body_processor(&argument),
            "requestbodyaccess" => self.on_off(&argument).map(Ctl::RequestBodyAccess),
            "responsebodyaccess" => self.on_off(&argument).map(Ctl::ResponseBodyAccess),
            "forcerequestbodyvariable" => self.on_off(&argument).map(Ctl::ForceRequestBodyVariable),
            "requestbodylimit" => Some(Ctl::RequestBodyLimit(self.size(&argument, limits::BODY_BYTES_MAX))),
            "responsebodylimit" => Some(Ctl::ResponseBodyLimit(self.size(&argument, limits::BODY_BYTES_MAX))),
            "auditengine" | "auditlogparts" | "debugloglevel" | "hashengine" | "hashenforcement" => None,
            _ => {
                self.unknown("ctl", &name, NAMES.iter().copied());
                None
            }
        }
    }

    fn remove_target(&mut self, name: &str, argument: &Word) -> Option<Ctl> {
        let Some(semicolon) = argument.text.iter().position(|byte| *byte == b';') else {
            self.mistake(argument.whole(), "no target", "write RULE;VARIABLE or RULE;VARIABLE:NAME");
            return None;
        };
        let rules = argument.slice(0, semicolon);
        let target = argument.slice(semicolon + 1, argument.text.len());
        let filter = match name {
            "ruleremovetargetbyid" => self.ids(&rules)?,
            "ruleremovetargetbytag" => RuleFilter::Tag(self.filter_pattern(&rules)?),
            _ => RuleFilter::Msg(self.filter_pattern(&rules)?),
        };
        Some(Ctl::RemoveTarget(filter, self.one_target(&target)?))
    }

    fn one_target(&mut self, word: &Word) -> Option<Selection> {
        let colon = word.text.iter().position(|byte| *byte == b':');
        let name = word.slice(0, colon.unwrap_or(word.text.len()));
        let selector = colon.map(|colon| word.slice(colon + 1, word.text.len()));
        self.selection(&TargetText { sign: TargetSign::Exclude, name, selector })
    }

    fn body_processor(&mut self, argument: &Word) -> Option<Ctl> {
        let processor = BodyProcessor::named(&argument.lossy());
        if processor.is_none() {
            self.unknown("body processor", argument, ["URLENCODED", "MULTIPART", "JSON", "XML"].into_iter());
        }
        processor.map(Ctl::BodyProcessor)
    }

    pub(super) fn engine_mode(&mut self, word: &Word) -> Option<EngineMode> {
        match word.lossy().to_ascii_lowercase().as_str() {
            "on" => Some(EngineMode::On),
            "off" => Some(EngineMode::Off),
            "detectiononly" => Some(EngineMode::DetectionOnly),
            _ => {
                self.mistake(
                    word.whole(),
                    format!("no engine mode `{}`", word.lossy()),
                    "use On, Off or DetectionOnly",
                );
                None
            }
        }
    }

    pub(super) fn on_off(&mut self, word: &Word) -> Option<bool> {
        match word.lossy().to_ascii_lowercase().as_str() {
            "on" => Some(true),
            "off" => Some(false),
            _ => {
                self.mistake(
                    word.whole(),
                    format!("neither on nor off: `{}`", word.lossy()),
                    "use On or Off",
                );
                None
            }
        }
    }

    /// `942100` or `942100-942199`.
    pub(super) fn ids(&mut self, word: &Word) -> Option<RuleFilter> {
        let dash = word.text.iter().position(|byte| *byte == b'-');
        let first = self.number(&word.slice(0, dash.unwrap_or(word.text.len())), 0, u64::MAX)?;
        let last = match dash {
            Some(dash) => self.number(&word.slice(dash + 1, word.text.len()), first, u64::MAX)?,
            None => first,
        };
        Some(RuleFilter::Ids(first, last))
    }

    pub(super) fn filter_pattern(&mut self, word: &Word) -> Option<Pattern> {
        match Pattern::shared(&word.lossy()) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.mistake(word.whole(), error.to_string(), "");
                None
            }
        }
    }
}

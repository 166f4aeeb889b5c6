//! An action list -> what a link does and, for the first link of a chain, what the rule is.

use super::Compiler;
use crate::engine::collection::Scope;
use crate::engine::limits;
use crate::engine::rule::{Action, Allow, Disruptive, Phase};
use crate::engine::template::Template;
use crate::engine::text::{ActionText, Word};
use crate::engine::transformation::Transformation;

/// Names of actions, for cures.
pub const NAMES: &[&str] = &[
    "id",
    "phase",
    "msg",
    "logdata",
    "severity",
    "tag",
    "rev",
    "ver",
    "maturity",
    "accuracy",
    "block",
    "deny",
    "drop",
    "pass",
    "redirect",
    "allow",
    "status",
    "log",
    "nolog",
    "auditlog",
    "noauditlog",
    "capture",
    "multiMatch",
    "chain",
    "skip",
    "skipAfter",
    "setvar",
    "expirevar",
    "deprecatevar",
    "initcol",
    "setsid",
    "setuid",
    "setrsc",
    "setenv",
    "sanitiseArg",
    "sanitiseMatched",
    "sanitiseMatchedBytes",
    "sanitiseRequestHeader",
    "sanitiseResponseHeader",
    "xmlns",
    "pause",
    "t",
    "ctl",
];

/// Known actions that no rule can have here, and why.
const REFUSED: &[(&str, &str)] = &[
    ("append", "bodies are judged, not rewritten"),
    ("prepend", "bodies are judged, not rewritten"),
    ("proxy", "origins are the tenant's configuration"),
    ("exec", "no program is run for a request"),
    ("lua", "no script is run for a request"),
];

/// Actions that SecDefaultAction can give to rules; `block` there has a mistake of its own.
pub const DEFAULTABLE: &[&str] = &[
    "phase",
    "pass",
    "deny",
    "drop",
    "redirect",
    "allow",
    "block",
    "status",
    "log",
    "nolog",
    "auditlog",
    "noauditlog",
    "t",
];

/// The disruptive action as written.
#[derive(Clone, Debug)]
pub enum Written {
    /// Whatever SecDefaultAction says.
    Block,
    Own(Disruptive),
}

/// An action list taken apart.
#[derive(Debug)]
pub struct ActionSet {
    pub directive: Word,
    pub chain: bool,
    pub id: Option<(u64, Word)>,
    pub phase: Option<Phase>,
    pub msg: Option<Template>,
    pub logdata: Option<Template>,
    pub severity: Option<u8>,
    pub tags: Vec<Template>,
    pub rev: String,
    pub ver: String,
    pub log: Option<bool>,
    pub disruptive: Option<Written>,
    pub status: Option<u16>,
    pub skip: Option<usize>,
    pub skip_after: Option<Word>,
    pub capture: bool,
    pub multi_match: bool,
    pub transformations: Vec<Transformation>,
    /// t:none: those of SecDefaultAction are dropped.
    pub drops_defaults: bool,
    pub actions: Vec<Action>,
    /// The first action that only the first link of a chain may have.
    pub starter_only: Option<Word>,
}

impl ActionSet {
    fn new(directive: Word) -> Self {
        Self {
            directive,
            chain: false,
            id: None,
            phase: None,
            msg: None,
            logdata: None,
            severity: None,
            tags: Vec::new(),
            rev: String::new(),
            ver: String::new(),
            log: None,
            disruptive: None,
            status: None,
            skip: None,
            skip_after: None,
            capture: false,
            multi_match: false,
            transformations: Vec::new(),
            drops_defaults: false,
            actions: Vec::new(),
            starter_only: None,
        }
    }
}

impl Compiler<'_> {
    /// Every action of the list; those with mistakes are left out.
    pub(super) fn actions(&mut self, directive: Word, actions: Vec<ActionText>) -> ActionSet {
        let mut set = ActionSet::new(directive);
        for action in actions {
            let name = action.name.lossy().to_ascii_lowercase();
            let anywhere = matches!(
                name.as_str(),
                "t" | "setvar"
                    | "expirevar"
                    | "deprecatevar"
                    | "initcol"
                    | "setsid"
                    | "setuid"
                    | "setrsc"
                    | "setenv"
                    | "xmlns"
                    | "ctl"
                    | "capture"
                    | "multimatch"
                    | "chain"
                    | "log"
                    | "nolog"
                    | "auditlog"
                    | "noauditlog"
                    | "status"
            ) || name.starts_with("saniti");
            if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
                self.mistake(action.name.whole(), format!("{name} is not supported: {reason}"), "remove it");
                continue;
            }
            if !anywhere {
                set.starter_only.get_or_insert_with(|| action.name.clone());
            }
            match &action.value {
                None => self.bare(&mut set, &name, &action.name),
                Some(value) => self.valued(&mut set, &name, &action.name, value),
            }
        }
        if set.transformations.len() > limits::TRANSFORMATIONS {
            let message = format!("more than {} transformations", limits::TRANSFORMATIONS);
            self.mistake(set.directive.whole(), message, "remove those that change nothing");
        }
        let growth = set.transformations.iter().map(|one| one.growth());
        if growth.fold(1, usize::saturating_mul) > limits::TRANSFORMATION_GROWTH {
            let message = format!(
                "transformations that may grow a value more than {}-fold",
                limits::TRANSFORMATION_GROWTH
            );
            self.mistake(
                set.directive.whole(),
                message,
                "encode once: urlEncode, hexEncode or utf8toUnicode",
            );
        }
        set
    }

    fn bare(&mut self, set: &mut ActionSet, name: &str, word: &Word) {
        match name {
            "block" => set.disruptive = Some(Written::Block),
            "deny" => set.disruptive = Some(Written::Own(Disruptive::Deny)),
            "drop" => set.disruptive = Some(Written::Own(Disruptive::Drop)),
            "pass" => set.disruptive = Some(Written::Own(Disruptive::Pass)),
            "allow" => set.disruptive = Some(Written::Own(Disruptive::Allow(Allow::Transaction))),
            "log" => set.log = Some(true),
            "nolog" => set.log = Some(false),
            // There is one log of events: the audit log's switches are read and change nothing.
            "auditlog" | "noauditlog" => {}
            // Values are shown in logs only as far as the event log's own redaction lets them.
            "sanitisematched" | "sanitisematchedbytes" | "sanitizematched" | "sanitizematchedbytes" => {}
            "capture" => set.capture = true,
            "multimatch" => set.multi_match = true,
            "chain" => set.chain = true,
            _ if NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) => {
                self.mistake(word.whole(), format!("{name} wants a value"), format!("write {name}:VALUE"));
            }
            _ => self.unknown("action", word, NAMES.iter().copied()),
        }
    }

    fn valued(&mut self, set: &mut ActionSet, name: &str, word: &Word, value: &Word) {
        match name {
            "id" => set.id = self.number(value, 1, u64::MAX).map(|id| (id, value.clone())),
            "phase" => set.phase = self.phase(value),
            "msg" => set.msg = self.template(value),
            "logdata" => set.logdata = self.template(value),
            "severity" => set.severity = self.severity(value),
            "tag" => set.tags.extend(self.template(value)),
            "rev" => set.rev = value.lossy(),
            "ver" => set.ver = value.lossy(),
            // Notes of the rule's author for other authors.
            "maturity" | "accuracy" => {}
            "redirect" => {
                let location = self.template(value);
                set.disruptive = location.map(|location| Written::Own(Disruptive::Redirect(location)));
            }
            "allow" => set.disruptive = self.allow(value),
            "status" => {
                set.status = self.number(value, 300, 599).and_then(|status| u16::try_from(status).ok());
            }
            "skip" => {
                let rules = self.number(value, 1, u64::from(u32::MAX));
                set.skip = rules.and_then(|rules| usize::try_from(rules).ok());
            }
            "skipafter" => set.skip_after = Some(value.clone()),
            "setvar" => set.actions.extend(self.set_var(value).map(Action::SetVar)),
            "expirevar" => set.actions.extend(self.expire_var(value)),
            "deprecatevar" => set.actions.extend(self.deprecate_var(value)),
            "initcol" => set.actions.extend(self.init_col(value)),
            "setsid" => set.actions.extend(self.open(Scope::Session, value)),
            "setuid" => set.actions.extend(self.open(Scope::User, value)),
            "setrsc" => set.actions.extend(self.open(Scope::Resource, value)),
            "setenv" => set.actions.extend(self.set_env(value)),
            // The event log redacts on its own; names of XML are matched without their prefix; nothing is slowed down.
            "sanitisearg"
            | "sanitiserequestheader"
            | "sanitiseresponseheader"
            | "sanitizearg"
            | "sanitizerequestheader"
            | "sanitizeresponseheader"
            | "sanitisematchedbytes"
            | "sanitizematchedbytes"
            | "xmlns"
            | "pause" => {}
            "ctl" => set.actions.extend(self.ctl(value).map(Action::Ctl)),
            "t" => self.transformation(set, value),
            _ if NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) => {
                self.mistake(
                    value.whole(),
                    format!("{name} takes no value"),
                    "remove the colon and what follows",
                );
            }
            _ => self.unknown("action", word, NAMES.iter().copied()),
        }
    }
}

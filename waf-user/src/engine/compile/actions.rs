//! An action list -> what a link does and, for the first link of a chain, what the rule is.

use super::Compiler;
use crate::engine::limits;
use crate::engine::rule::{Allow, Condition, Ctl, Disruptive, Flow, Link, Phase, Rule, SetVar};
use crate::engine::template::Template;
use crate::engine::text::{ActionText, Word};
use crate::engine::transformation::Transformation;

/// Names of actions, for cures.
const NAMES: &[&str] = &[
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
    "t",
    "ctl",
];

/// Actions that SecDefaultAction can give to rules; `block` there has a mistake of its own.
const DEFAULTABLE: &[&str] = &[
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

/// SecDefaultAction of one phase.
#[derive(Clone, Debug)]
struct PhaseDefault {
    disruptive: Disruptive,
    status: u16,
    log: bool,
    transformations: Vec<Transformation>,
}

/// SecDefaultAction of all phases; without one: pass, log.
#[derive(Clone, Debug)]
pub struct Defaults {
    phases: [PhaseDefault; 5],
}

impl Default for Defaults {
    fn default() -> Self {
        let one = PhaseDefault {
            disruptive: Disruptive::Pass,
            status: 403,
            log: true,
            transformations: Vec::new(),
        };
        Self { phases: std::array::from_fn(|_| one.clone()) }
    }
}

impl Defaults {
    fn of(&self, phase: Phase) -> &PhaseDefault {
        let [first, second, third, fourth, fifth] = &self.phases;
        match phase {
            Phase::RequestHeaders => first,
            Phase::RequestBody => second,
            Phase::ResponseHeaders => third,
            Phase::ResponseBody => fourth,
            Phase::Logging => fifth,
        }
    }
}

/// An action list taken apart.
#[derive(Debug)]
pub struct ActionSet {
    pub directive: Word,
    pub chain: bool,
    id: Option<(u64, Word)>,
    phase: Option<Phase>,
    msg: Option<Template>,
    logdata: Option<Template>,
    severity: Option<u8>,
    tags: Vec<Template>,
    rev: String,
    ver: String,
    log: Option<bool>,
    disruptive: Option<Written>,
    status: Option<u16>,
    skip: Option<usize>,
    skip_after: Option<Word>,
    capture: bool,
    multi_match: bool,
    pub transformations: Vec<Transformation>,
    /// t:none: those of SecDefaultAction are dropped.
    pub drops_defaults: bool,
    set_vars: Vec<SetVar>,
    ctls: Vec<Ctl>,
    /// The first action that only the first link of a chain may have.
    starter_only: Option<Word>,
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
            set_vars: Vec::new(),
            ctls: Vec::new(),
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
                    | "ctl"
                    | "capture"
                    | "multimatch"
                    | "chain"
                    | "log"
                    | "nolog"
                    | "auditlog"
                    | "noauditlog"
                    | "status"
            );
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
            "setvar" => set.set_vars.extend(self.set_var(value)),
            "ctl" => set.ctls.extend(self.ctl(value)),
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

    /// The rule that a first link starts.
    pub(super) fn first_link(
        &mut self,
        set: ActionSet,
        condition: Option<Condition>,
    ) -> Option<(Rule, Option<Word>)> {
        let Some((id, id_word)) = set.id.clone() else {
            self.mistake(set.directive.whole(), "the rule has no id", "add id:NUMBER to its actions");
            return None;
        };
        let place = id_word.whole().name();
        if let Some(first) = self.ids.insert(id, place) {
            self.mistake(
                id_word.whole(),
                format!("rule id {id} is taken"),
                format!("the other one is at {first}"),
            );
            return None;
        }
        // The reference engine's phase where none is written.
        let phase = set.phase.unwrap_or(Phase::RequestBody);
        let default = self.defaults.of(phase).clone();
        let disruptive = match set.disruptive.clone() {
            Some(Written::Own(own)) => own,
            Some(Written::Block) | None => default.disruptive.clone(),
        };
        let status = set.status.unwrap_or(match &disruptive {
            Disruptive::Redirect(_) => 302,
            _ => default.status,
        });
        if matches!(disruptive, Disruptive::Deny) && status < 400 {
            self.mistake(
                set.directive.whole(),
                format!("deny with status {status}"),
                "use a status of 400 to 599",
            );
        }
        let rule = Rule {
            id,
            phase,
            msg: set.msg.clone(),
            logdata: set.logdata.clone(),
            severity: set.severity,
            tags: set.tags.clone(),
            rev: set.rev.clone(),
            ver: set.ver.clone(),
            log: set.log.unwrap_or(default.log),
            disruptive,
            status,
            flow: set.skip.map_or(Flow::Next, Flow::Skip),
            links: Vec::new(),
        };
        let skip_after = set.skip_after.clone();
        let link = self.one_link(set, condition, phase);
        Some((Rule { links: vec![link], ..rule }, skip_after))
    }

    /// A further link: what belongs to the rule as a whole stands in the first one.
    pub(super) fn next_link(&mut self, set: ActionSet, condition: Option<Condition>, phase: Phase) -> Link {
        if let Some(word) = &set.starter_only {
            let message = format!("{} inside a chain", word.lossy());
            self.mistake(word.whole(), message, "move it to the chain's first rule");
        }
        self.one_link(set, condition, phase)
    }

    fn one_link(&mut self, set: ActionSet, condition: Option<Condition>, phase: Phase) -> Link {
        let mut transformations = Vec::new();
        if !set.drops_defaults {
            transformations.clone_from(&self.defaults.of(phase).transformations);
        }
        transformations.extend(set.transformations);
        let condition = condition.map(|condition| Condition {
            transformations,
            multi_match: set.multi_match,
            ..condition
        });
        Link { condition, capture: set.capture, set_vars: set.set_vars, ctls: set.ctls }
    }

    pub(super) fn default_action(&mut self, directive: Word, actions: Vec<ActionText>) {
        for action in &actions {
            let name = action.name.lossy().to_ascii_lowercase();
            let known = NAMES.iter().any(|known| known.eq_ignore_ascii_case(&name));
            if known && !DEFAULTABLE.contains(&name.as_str()) {
                self.mistake(
                    action.name.whole(),
                    format!("{name} in SecDefaultAction"),
                    "a rule says it of itself: move it to the rules",
                );
            }
        }
        let set = self.actions(directive, actions);
        let Some(phase) = set.phase else {
            self.mistake(set.directive.whole(), "SecDefaultAction without a phase", "add phase:NUMBER");
            return;
        };
        let disruptive = match set.disruptive {
            Some(Written::Own(own)) => own,
            _ => {
                let message = "SecDefaultAction says neither pass, deny, drop, redirect nor allow";
                self.mistake(set.directive.whole(), message, "add one of them");
                return;
            }
        };
        let status =
            set.status.unwrap_or(if matches!(disruptive, Disruptive::Redirect(_)) { 302 } else { 403 });
        let log = set.log.unwrap_or(true);
        let default = PhaseDefault { disruptive, status, log, transformations: set.transformations };
        if let Some(slot) = self.defaults.phases.get_mut(usize::from(phase.number() - 1)) {
            *slot = default;
        }
    }
}

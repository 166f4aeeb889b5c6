//! SecDefaultAction -> what rules of a phase take where they say nothing themselves.

use super::Compiler;
use super::actions::{DEFAULTABLE, NAMES, Written};
use crate::engine::rule::{Disruptive, Phase};
use crate::engine::text::{ActionText, Word};
use crate::engine::transformation::Transformation;

/// SecDefaultAction of one phase.
#[derive(Clone, Debug)]
pub struct PhaseDefault {
    pub disruptive: Disruptive,
    pub status: u16,
    pub log: bool,
    pub transformations: Vec<Transformation>,
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
    pub fn of(&self, phase: Phase) -> &PhaseDefault {
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

impl Compiler<'_> {
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

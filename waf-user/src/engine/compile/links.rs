//! An action list and a condition -> a link, and for the first link of a chain the rule that it starts.

use super::Compiler;
use super::actions::{ActionSet, Written};
use crate::engine::rule::{Condition, Disruptive, Flow, Link, Phase, Rule};
use crate::engine::text::Word;

impl Compiler<'_> {
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
            place: set.directive.whole().name(),
            changes: Vec::new(),
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
        Link { condition, capture: set.capture, actions: set.actions }
    }
}

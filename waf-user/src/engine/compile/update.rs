//! SecRuleUpdateTargetBy… and SecRuleUpdateActionById: changes of rules that stand above the directive.

use super::actions::Written;
use super::{Compiler, Entry};
use crate::engine::rule::{RuleFilter, Selection, Take, Target};
use crate::engine::text::statement::TargetSign;
use crate::engine::text::{Word, parser};

impl Compiler<'_> {
    /// `SecRuleUpdateTargetById 942100 "!ARGS:a" ["ARGS:b"]`: targets are added or excluded; with a third word the first
    /// one's target is replaced by it. As in the reference engine a chain's first link is meant.
    pub(super) fn update_targets(
        &mut self,
        name: &Word,
        filters: &[RuleFilter],
        targets: &Word,
        replaced: Option<&Word>,
    ) {
        let sentence = match replaced {
            None => format!("targets {} added by {}", targets.lossy(), name.whole().name()),
            Some(old) => {
                format!("targets {} in place of {} by {}", targets.lossy(), old.lossy(), name.whole().name())
            }
        };
        let mut changes = Vec::new();
        for target in parser::targets(targets, &mut self.mistakes) {
            if let Some(selection) = self.selection(&target) {
                changes.push((target.sign, selection));
            }
        }
        let mut replaces = Vec::new();
        for target in replaced.map(|word| parser::targets(word, &mut self.mistakes)).unwrap_or_default() {
            replaces.extend(self.selection(&target));
        }
        for entry in &mut self.entries {
            let Entry::Rule { rule, .. } = entry else { continue };
            if !filters.iter().any(|filter| filter.names(rule)) {
                continue;
            }
            rule.changes.push(sentence.clone());
            let Some(condition) = rule.links.first_mut().and_then(|link| link.condition.as_mut()) else {
                continue;
            };
            if !replaces.is_empty() {
                condition.targets.retain(|target| !replaces.iter().any(|gone| same(gone, &target.selection)));
            }
            for (sign, selection) in &changes {
                let selection = selection.clone();
                match sign {
                    TargetSign::Exclude => condition.excluded.push(selection),
                    TargetSign::Value => condition.targets.push(Target { selection, take: Take::Values }),
                    TargetSign::Count => condition.targets.push(Target { selection, take: Take::Count }),
                }
            }
        }
    }

    /// `SecRuleUpdateActionById 942100 "pass,msg:'…'"`, or `942100:1` for a further link of its chain. Id and phase stay.
    pub(super) fn update_actions(&mut self, name: &Word, target: &Word, list: &Word) {
        let colon = target.text.iter().position(|byte| *byte == b':');
        let Some(id) = self.number(&target.slice(0, colon.unwrap_or(target.text.len())), 0, u64::MAX) else {
            return;
        };
        let offset = match colon {
            None => Some(0),
            Some(colon) => self.number(&target.slice(colon + 1, target.text.len()), 0, 1000),
        };
        let Some(offset) = offset.and_then(|offset| usize::try_from(offset).ok()) else { return };
        let actions = parser::actions(list, &mut self.mistakes);
        let set = self.actions(name.clone(), actions);
        if let Some((_, id)) = &set.id {
            self.mistake(id.whole(), "an update cannot change a rule's id", "remove it");
            return;
        }
        let defaults = self.defaults.clone();
        for entry in &mut self.entries {
            let Entry::Rule { rule, skip_after } = entry else { continue };
            if rule.id != id {
                continue;
            }
            rule.changes.push(format!("actions {} by {}", list.lossy(), name.whole().name()));
            rule.msg = set.msg.clone().or(rule.msg.take());
            rule.logdata = set.logdata.clone().or(rule.logdata.take());
            rule.severity = set.severity.or(rule.severity);
            rule.tags.extend(set.tags.iter().cloned());
            rule.log = set.log.unwrap_or(rule.log);
            rule.status = set.status.unwrap_or(rule.status);
            match &set.disruptive {
                Some(Written::Own(own)) => rule.disruptive = own.clone(),
                Some(Written::Block) => rule.disruptive = defaults.of(rule.phase).disruptive.clone(),
                None => {}
            }
            if set.skip_after.is_some() {
                skip_after.clone_from(&set.skip_after);
            }
            let Some(link) = rule.links.get_mut(offset) else { continue };
            link.capture |= set.capture;
            link.actions.extend(set.actions.iter().cloned());
            if let Some(condition) = &mut link.condition {
                condition.multi_match |= set.multi_match;
                if set.drops_defaults {
                    condition.transformations.clear();
                }
                condition.transformations.extend(&set.transformations);
            }
        }
    }
}

fn same(left: &Selection, right: &Selection) -> bool {
    left.variable == right.variable && left.selector.text() == right.selector.text()
}

//! What rules may change about the running of one transaction: `ctl`, `allow`, and the exclusions gathered so far.

use super::limits;
use super::options::Options;
use super::rule::{Allow, BodyProcessor, Ctl, EngineMode, Phase, Rule, RuleFilter, Selection};

/// The switches of one transaction; they start as the rule set's options say.
#[derive(Debug)]
pub struct Control {
    pub engine: EngineMode,
    /// Set for the whole transaction from outside: rules may lower it, not go beyond it.
    ceiling: EngineMode,
    pub request_body_access: bool,
    pub response_body_access: bool,
    pub force_request_body_variable: bool,
    pub body_processor: Option<BodyProcessor>,
    removed_rules: Vec<RuleFilter>,
    removed_targets: Vec<(RuleFilter, Selection)>,
    allowed: Option<(Allow, Phase)>,
}

impl Control {
    pub fn new(options: &Options) -> Self {
        Self {
            engine: options.engine,
            ceiling: EngineMode::On,
            request_body_access: options.request_body_access,
            response_body_access: options.response_body_access,
            force_request_body_variable: false,
            body_processor: None,
            removed_rules: Vec::new(),
            removed_targets: Vec::new(),
            allowed: None,
        }
    }

    /// The mode in place of SecRuleEngine; `ctl:ruleEngine=On` reaches no further.
    pub fn set_engine(&mut self, mode: EngineMode) {
        self.engine = mode;
        self.ceiling = mode;
    }

    pub fn apply(&mut self, ctl: &Ctl) {
        match ctl {
            Ctl::Engine(EngineMode::On) => self.engine = self.ceiling,
            Ctl::Engine(mode) => self.engine = *mode,
            Ctl::RemoveRules(filter) => {
                if self.removed_rules.len() < limits::CTL_EXCLUSIONS {
                    self.removed_rules.push(filter.clone());
                }
            }
            Ctl::RemoveTarget(filter, selection) => self.exclude(filter.clone(), selection.clone()),
            Ctl::BodyProcessor(processor) => self.body_processor = Some(*processor),
            Ctl::RequestBodyAccess(access) => self.request_body_access = *access,
            Ctl::ResponseBodyAccess(access) => self.response_body_access = *access,
            Ctl::ForceRequestBodyVariable(force) => self.force_request_body_variable = *force,
        }
    }

    /// These rules no longer look at these values.
    pub fn exclude(&mut self, filter: RuleFilter, selection: Selection) {
        if self.removed_targets.len() < limits::CTL_EXCLUSIONS {
            self.removed_targets.push((filter, selection));
        }
    }

    pub fn allow(&mut self, allow: Allow, phase: Phase) {
        self.allowed = Some((allow, phase));
    }

    /// Whether the rest of a phase is passed over.
    pub fn passes_over(&self, phase: Phase) -> bool {
        let allowed = match self.allowed {
            None => false,
            Some((Allow::Transaction, _)) => phase != Phase::Logging,
            Some((Allow::Phase, in_phase)) => phase == in_phase,
            Some((Allow::Request, _)) => phase <= Phase::RequestBody,
        };
        allowed || self.engine == EngineMode::Off
    }

    /// Hot: per rule. O(exclusions).
    pub fn removes(&self, rule: &Rule) -> bool {
        self.removed_rules.iter().any(|filter| filter.names(rule))
    }

    /// Hot: per rule. The selections taken from this rule.
    pub fn excluded<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = &'a Selection> {
        let of_rule = move |(filter, _): &&(RuleFilter, Selection)| filter.names(rule);
        self.removed_targets.iter().filter(of_rule).map(|(_, selection)| selection)
    }
}

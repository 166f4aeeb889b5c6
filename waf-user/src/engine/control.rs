//! What rules may change about the running of one transaction: `ctl`, `allow`, and the exclusions gathered so far.

use std::sync::Arc;

use super::exclusion::Exclusion;
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
    /// In place of the rule files' limits, bytes.
    pub request_body_limit: Option<usize>,
    pub response_body_limit: Option<usize>,
    removed_rules: Vec<RuleFilter>,
    removed_targets: Vec<(RuleFilter, Selection)>,
    /// The tenant's, as far as this request is concerned.
    exclusions: Vec<Arc<Exclusion>>,
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
            request_body_limit: None,
            response_body_limit: None,
            removed_rules: Vec::new(),
            removed_targets: Vec::new(),
            exclusions: Vec::new(),
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
            Ctl::RemoveTarget(filter, selection) => {
                if self.removed_targets.len() < limits::CTL_EXCLUSIONS {
                    self.removed_targets.push((filter.clone(), selection.clone()));
                }
            }
            Ctl::BodyProcessor(processor) => self.body_processor = Some(*processor),
            Ctl::RequestBodyAccess(access) => self.request_body_access = *access,
            Ctl::ResponseBodyAccess(access) => self.response_body_access = *access,
            Ctl::RequestBodyLimit(limit) => self.request_body_limit = Some(*limit),
            Ctl::ResponseBodyLimit(limit) => self.response_body_limit = Some(*limit),
            Ctl::ForceRequestBodyVariable(force) => self.force_request_body_variable = *force,
        }
    }

    /// Holds for the rest of the transaction, and for all links of a chain.
    pub fn exclude(&mut self, exclusion: Arc<Exclusion>) {
        self.exclusions.push(exclusion);
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
            || self.exclusions.iter().any(|exclusion| exclusion.removes(rule))
    }

    /// Hot: per rule. The selections taken from this rule's first or a further link: ctl reaches, as in the reference
    /// engine, only the link that has the rule's id and tags.
    pub fn excluded<'a>(&'a self, rule: &'a Rule, of_first: bool) -> impl Iterator<Item = &'a Selection> {
        let by_ctl = self.removed_targets.iter().filter(move |(filter, _)| of_first && filter.names(rule));
        let by_tenant = self.exclusions.iter().flat_map(move |exclusion| exclusion.excluded(rule));
        by_ctl.map(|(_, selection)| selection).chain(by_tenant)
    }
}

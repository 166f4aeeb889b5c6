//! A compiled rule -> what it means in plain words, and who else acts on it. Reads the compiled form only, so that what is
//! told is what runs.

use super::RuleSet;
use super::rule::{
    Action, Allow, Change, Condition, Ctl, Disruptive, EngineMode, Flow, Holder, Link, Phase, Rule,
    RuleFilter, Selection, Selector, Sense, SetVar, Step, Take,
};
use super::variable::Variable;

/// What a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub id: u64,
    /// `file:line`.
    pub place: String,
    /// 1 to 5.
    pub phase: u8,
    /// When it runs.
    pub when: &'static str,
    pub msg: String,
    pub logdata: String,
    pub severity: Option<u8>,
    pub tags: Vec<String>,
    /// All must match, in order.
    pub links: Vec<LinkWords>,
    /// What happens to the request.
    pub outcome: String,
    /// Where the evaluation goes on, if not with the next rule.
    pub flow: Option<String>,
    pub is_logged: bool,
    /// Changes by directives further down, one sentence each.
    pub changes: Vec<String>,
    /// `file:line` of the directive that took the rule away.
    pub removed_by: Option<String>,
    /// Rules that, where they match, narrow or remove this one for the request.
    pub acted_on_by: Vec<ActedOn>,
}

/// What another rule's ctl actions do to the one that is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActedOn {
    pub rule: u64,
    /// `file:line`.
    pub place: String,
    pub removes: bool,
    /// Taken from its sight.
    pub targets: Vec<String>,
}

/// One condition of a rule with what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWords {
    /// Empty: it always matches (SecAction).
    pub targets: Vec<String>,
    pub excluded: Vec<String>,
    /// In order.
    pub transformations: Vec<&'static str>,
    /// multiMatch: values between the transformations are looked at too.
    pub multi_match: bool,
    /// Such as `@rx`; empty for SecAction.
    pub operator: String,
    pub is_negated: bool,
    pub argument: String,
    /// Sentences.
    pub actions: Vec<String>,
}

impl RuleSet {
    /// What the rule of this id means; None: there is none, also none that was removed.
    pub fn explain(&self, id: u64) -> Option<Explanation> {
        let removed = self.removed().iter().find(|removed| removed.rule.id == id);
        let rule = self.rules().find(|rule| rule.id == id).or(removed.map(|removed| &*removed.rule))?;
        let mut explanation = words(rule);
        explanation.removed_by = removed.map(|removed| removed.by.clone());
        for other in self.rules().filter(|other| other.id != id) {
            let ctls = other.links.iter().flat_map(|link| &link.actions).filter_map(|action| match action {
                Action::Ctl(ctl) => Some(ctl),
                _ => None,
            });
            let place = other.place.clone();
            let mut acted = ActedOn { rule: other.id, place, removes: false, targets: Vec::new() };
            for ctl in ctls {
                match ctl {
                    Ctl::RemoveRules(filter) => acted.removes |= filter.names(rule),
                    Ctl::RemoveTarget(filter, target) if filter.names(rule) => {
                        acted.targets.push(selection(target));
                    }
                    _ => {}
                }
            }
            acted.targets.dedup();
            if acted.removes || !acted.targets.is_empty() {
                explanation.acted_on_by.push(acted);
            }
        }
        Some(explanation)
    }

    /// Every rule in the order of phases and files.
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        Phase::ALL.into_iter().flat_map(|phase| self.steps(phase)).filter_map(|step| match step {
            Step::Rule(rule) => Some(&**rule),
            Step::Marker => None,
        })
    }

    /// Every id in the order of phases and files.
    pub fn ids(&self) -> Vec<u64> {
        self.rules().map(|rule| rule.id).collect()
    }
}

fn words(rule: &Rule) -> Explanation {
    let written = |template: &Option<super::template::Template>| {
        template.as_ref().map(super::template::Template::written).unwrap_or_default()
    };
    Explanation {
        id: rule.id,
        place: rule.place.clone(),
        phase: rule.phase.number(),
        when: match rule.phase {
            Phase::RequestHeaders => "when the request's head is there",
            Phase::RequestBody => "when the request's body is there",
            Phase::ResponseHeaders => "when the response's head is there",
            Phase::ResponseBody => "when the response's body is there",
            Phase::Logging => "when all is over",
        },
        msg: written(&rule.msg),
        logdata: written(&rule.logdata),
        severity: rule.severity,
        tags: rule.tags.iter().map(super::template::Template::written).collect(),
        links: rule.links.iter().map(link).collect(),
        outcome: outcome(rule),
        flow: match rule.flow {
            Flow::Next => None,
            Flow::Skip(rules) => Some(format!("the next {rules} rules of the phase are passed over")),
            Flow::To(_) => Some("the evaluation goes on after a SecMarker".to_owned()),
        },
        is_logged: rule.log,
        changes: rule.changes.clone(),
        removed_by: None,
        acted_on_by: Vec::new(),
    }
}

fn outcome(rule: &Rule) -> String {
    match &rule.disruptive {
        Disruptive::Pass => "the request goes on".to_owned(),
        Disruptive::Deny => format!("the request is refused with status {}", rule.status),
        Disruptive::Drop => "the connection is closed without an answer".to_owned(),
        Disruptive::Redirect(location) => {
            format!("the client is sent to {} with status {}", location.written(), rule.status)
        }
        Disruptive::Allow(Allow::Transaction) => "no further rule but those of phase 5 is asked".to_owned(),
        Disruptive::Allow(Allow::Phase) => "no further rule of this phase is asked".to_owned(),
        Disruptive::Allow(Allow::Request) => "no further rule of phases 1 and 2 is asked".to_owned(),
    }
}

fn link(link: &Link) -> LinkWords {
    let actions = link.actions.iter().map(action);
    let capture = link.capture.then(|| "keeps what matched as TX:0 to TX:9".to_owned());
    let actions = capture.into_iter().chain(actions).collect();
    let Some(condition) = &link.condition else {
        return LinkWords {
            targets: Vec::new(),
            excluded: Vec::new(),
            transformations: Vec::new(),
            multi_match: false,
            operator: String::new(),
            is_negated: false,
            argument: String::new(),
            actions,
        };
    };
    let Condition { targets, excluded, transformations, operator, sense, argument, multi_match } = condition;
    let target = |target: &super::rule::Target| match target.take {
        Take::Values => selection(&target.selection),
        Take::Count => format!("the number of {}", selection(&target.selection)),
    };
    LinkWords {
        targets: targets.iter().map(target).collect(),
        excluded: excluded.iter().map(selection).collect(),
        transformations: transformations.iter().map(|one| one.name()).collect(),
        multi_match: *multi_match,
        operator: format!("@{}", operator.name()),
        is_negated: *sense == Sense::Negated,
        argument: String::from_utf8_lossy(argument).into_owned(),
        actions,
    }
}

fn selection(selection: &Selection) -> String {
    let name = selection.variable.name();
    match &selection.selector {
        Selector::All => name.to_owned(),
        Selector::Name(key) => format!("{name}:{}", String::from_utf8_lossy(key)),
        Selector::Pattern(_, text) => format!("{name}:/{}/", String::from_utf8_lossy(text)),
    }
}

fn holder(holder: Holder) -> &'static str {
    match holder {
        Holder::Tx => "TX",
        Holder::Record(scope) => Variable::ALL
            .iter()
            .find(|variable| super::collection::Scope::of(**variable) == Some(scope))
            .map_or("", |variable| variable.name()),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::SetVar(SetVar { holder: of, name, change }) => {
            let variable = format!("{}:{}", holder(*of), name.written());
            match change {
                Change::Assign(value) => format!("sets {variable} to `{}`", value.written()),
                Change::Add(amount) => format!("adds {} to {variable}", amount.written()),
                Change::Subtract(amount) => format!("takes {} from {variable}", amount.written()),
                Change::Delete => format!("removes {variable}"),
            }
        }
        Action::Expire { holder: of, name, seconds } => {
            format!("lets {}:{} end in {} s", holder(*of), name.written(), seconds.written())
        }
        Action::Deprecate { holder: of, name, amount, seconds } => {
            let (amount, seconds) = (amount.written(), seconds.written());
            format!("lessens {}:{} by {amount} for each {seconds} s", holder(*of), name.written())
        }
        Action::Open { scope, key } => {
            format!("opens the record {} of `{}`", holder(Holder::Record(*scope)), key.written())
        }
        Action::SetEnv { name, value } => format!("sets ENV:{} to `{}`", name.written(), value.written()),
        Action::Ctl(ctl) => control(ctl),
    }
}

fn control(ctl: &Ctl) -> String {
    let onoff = |on: &bool| if *on { "on" } else { "off" };
    match ctl {
        Ctl::Engine(EngineMode::On) => "turns the rules on".to_owned(),
        Ctl::Engine(EngineMode::DetectionOnly) => "lets the rules log, but refuse nothing".to_owned(),
        Ctl::Engine(EngineMode::Off) => "turns the rules off".to_owned(),
        Ctl::RemoveRules(rules) => format!("removes {} for this request", filter(rules)),
        Ctl::RemoveTarget(rules, target) => {
            format!("takes {} from the sight of {}", selection(target), filter(rules))
        }
        Ctl::BodyProcessor(processor) => format!("has the request's body read as {}", processor.name()),
        Ctl::RequestBodyAccess(on) => format!("turns the request's body {}", onoff(on)),
        Ctl::ResponseBodyAccess(on) => format!("turns the response's body {}", onoff(on)),
        Ctl::RequestBodyLimit(bytes) => format!("has {bytes} bytes of the request's body judged"),
        Ctl::ResponseBodyLimit(bytes) => format!("has {bytes} bytes of the response's body judged"),
        Ctl::ForceRequestBodyVariable(on) => format!("turns REQUEST_BODY for every body {}", onoff(on)),
    }
}

fn filter(filter: &RuleFilter) -> String {
    match filter {
        RuleFilter::Ids(first, last) if first == last => format!("rule {first}"),
        RuleFilter::Ids(first, last) => format!("rules {first} to {last}"),
        RuleFilter::TagIs(tag) => format!("rules with the tag {}", String::from_utf8_lossy(tag)),
        RuleFilter::Tag(pattern) => format!("rules with a tag that matches /{}/", pattern.written()),
        RuleFilter::Msg(pattern) => format!("rules with a message that matches /{}/", pattern.written()),
    }
}

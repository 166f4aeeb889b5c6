//! One request and its response, fed piece by piece, judged phase by phase, resumable between rules.

use std::net::SocketAddr;
use std::sync::Arc;

use super::body;
use super::collection::Collections;
use super::control::Control;
use super::exclusion::Exclusion;
use super::limits;
use super::lookups::Lookups;
use super::observe::{Observe, Unobserved};
use super::operator::number::whole_number;
use super::options::LimitAction;
use super::reference;
use super::request;
use super::rule::{BodyProcessor, Disruptive, EngineMode, Flow, Phase, Rule, Step};
use super::state::{State, Store};
use super::values::Values;
use super::{Disruption, RuleMatch, RuleSet, Settings, Verdict};

/// The two ends of the client's connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The visitor (from the socket, or from a trusted proxy's header).
    pub client: SocketAddr,
    pub server: SocketAddr,
}

/// How far [`Transaction::advance`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The budget is spent; call again.
    Pending,
    /// Everything that could run with the input given so far has run.
    Ready,
}

/// Where the evaluation stands.
#[derive(Debug, Default)]
struct Cursor {
    /// Index into [`Phase::ALL`].
    phase: usize,
    /// Step of the phase that runs next; None: the phase has not begun.
    step: Option<usize>,
    /// Phases whose input is complete.
    open: [bool; 5],
}

/// A transaction. Input calls only take bytes; `advance` runs the rules of the phases whose input is complete. A phase
/// whose input never came is passed over once a later one is open.
#[derive(Debug)]
pub struct Transaction {
    rules: Arc<RuleSet>,
    state: State,
    verdict: Verdict,
    cursor: Cursor,
    /// The tenant's setting, in place of SecResponseBodyAccess.
    response_bodies: Option<bool>,
}

impl Transaction {
    /// `now_unix_ms`: wall time for TIME* and expiry. `unique_id`: the request id.
    pub fn new(
        rules: Arc<RuleSet>,
        settings: &Settings,
        connection: Connection,
        now_unix_ms: u64,
        unique_id: &str,
    ) -> Self {
        let values = Values {
            remote_addr: connection.client.ip().to_canonical().to_string(),
            remote_port: connection.client.port().to_string(),
            server_addr: connection.server.ip().to_canonical().to_string(),
            server_port: connection.server.port().to_string(),
            now_unix_ms,
            web_app_id: rules.options().web_app_id.clone(),
            unique_id: unique_id.to_owned(),
            body_shown: true,
            fixed_tx: Arc::clone(settings.fixed_tx()),
            ..Values::default()
        };
        let control = Control::new(rules.options());
        let timeout_s = rules.options().collection_timeout_s;
        let store = Store { collections: None, tenant: Arc::default(), timeout_s };
        let state = State { values, control, matches: Vec::new(), store };
        let response_bodies = settings.response_bodies();
        Self { rules, state, verdict: Verdict::Pass, cursor: Cursor::default(), response_bodies }
    }

    /// The tenant's mode in place of SecRuleEngine: call before the first `advance`. With `On` the verdict is what the
    /// rules say; with `DetectionOnly` it stays `Pass` whatever `ctl:ruleEngine` says, and every rule that would have
    /// refused is among the matches.
    pub fn set_engine(&mut self, mode: EngineMode) {
        self.state.control.set_engine(mode);
    }

    /// Where persistent collections are kept, and whose they are: call before the first `advance`. Without it a record
    /// lives as long as its transaction.
    pub fn set_collections(&mut self, collections: Arc<dyn Collections>, tenant: impl Into<Arc<str>>) {
        self.state.store.collections = Some(collections);
        self.state.store.tenant = tenant.into();
    }

    /// Who answers @geoLookup and @rbl: call before the first `advance`. Without it they never match.
    pub fn set_lookups(&mut self, lookups: Arc<dyn Lookups>) {
        self.state.values.lookups = Some(lookups);
    }

    /// Takes rules, or values from their sight, out of this transaction: call before the first `advance`.
    pub fn exclude(&mut self, exclusion: Arc<Exclusion>) {
        self.state.control.exclude(exclusion);
    }

    /// `protocol` such as `HTTP/1.1`; `target` as it stood in the request line.
    pub fn request_line(&mut self, method: &[u8], target: &[u8], protocol: &str) {
        self.state.values.method = method.to_vec();
        self.state.values.protocol = protocol.to_owned();
        request::read_target(&mut self.state.values, target, self.rules.options());
    }

    pub fn request_header(&mut self, name: &[u8], value: &[u8]) {
        if self.state.values.headers.len() >= limits::HEADER_FIELDS {
            self.state.values.refuse_body("more header fields than the limit");
            return;
        }
        self.state.values.headers.push((name.to_vec(), value.to_vec()));
        if name.eq_ignore_ascii_case(b"cookie") {
            request::read_cookies(&mut self.state.values, value);
        }
    }

    /// Phase 1 may run now.
    pub fn end_request_headers(&mut self) {
        self.open(Phase::RequestHeaders);
    }

    /// Whether the rules want body bytes at all (SecRequestBodyAccess), asked after phase 1.
    pub fn wants_request_body(&self) -> bool {
        self.judges() && self.state.control.request_body_access
    }

    /// Bytes of the body that are kept, asked after phase 1: SecRequestBodyLimit of forms with files, else the lower one.
    pub fn request_body_limit(&self) -> usize {
        let options = self.rules.options();
        let limit = self.state.control.request_body_limit.unwrap_or(options.request_body_limit);
        match processor(&self.state.control, &self.state.values) {
            Some(BodyProcessor::Multipart) => limit,
            _ => limit.min(options.request_body_no_files_limit),
        }
    }

    /// Keeps bytes up to the limit of the rule files; past it SecRequestBodyLimitAction says what happens.
    pub fn request_body(&mut self, bytes: &[u8]) {
        if !self.wants_request_body() {
            return;
        }
        let limit = self.request_body_limit();
        let action = self.rules.options().request_body_limit_action;
        let values = &mut self.state.values;
        values.body_length = values.body_length.saturating_add(bytes.len());
        if keep(&mut values.body, bytes, limit) {
            return;
        }
        values.body_cut = true;
        if action == LimitAction::Reject {
            self.refuse_at_limit(
                413,
                Phase::RequestBody,
                "the request body is longer than SecRequestBodyLimit",
            );
        }
    }

    /// Phase 2 may run now.
    pub fn end_request_body(&mut self) {
        self.open(Phase::RequestBody);
    }

    pub fn response_line(&mut self, status: u16, protocol: &str) {
        self.state.values.status = status;
        self.state.values.response_protocol = protocol.to_owned();
    }

    pub fn response_header(&mut self, name: &[u8], value: &[u8]) {
        let values = &mut self.state.values;
        match values.response_headers.len() < limits::HEADER_FIELDS {
            true => values.response_headers.push((name.to_vec(), value.to_vec())),
            false => values.response_body_cut = true,
        }
    }

    /// Phase 3 may run now.
    pub fn end_response_headers(&mut self) {
        self.open(Phase::ResponseHeaders);
    }

    /// Whether the response's body may be wanted, whatever its type: known before there is a response.
    pub fn may_want_response_body(&self) -> bool {
        self.judges() && self.response_bodies.unwrap_or(self.state.control.response_body_access)
    }

    /// Whether the response's body is to be given (SecResponseBodyAccess and its MIME types), asked after phase 3.
    pub fn wants_response_body(&self) -> bool {
        let media_type = self.state.values.response_content_type();
        let types = &self.rules.options().response_mime_types;
        self.may_want_response_body() && types.iter().any(|name| name.eq_ignore_ascii_case(media_type))
    }

    /// Bytes of the response's body that are kept: SecResponseBodyLimit.
    pub fn response_body_limit(&self) -> usize {
        self.state.control.response_body_limit.unwrap_or(self.rules.options().response_body_limit)
    }

    /// Keeps bytes up to SecResponseBodyLimit; past it SecResponseBodyLimitAction says what happens.
    pub fn response_body(&mut self, bytes: &[u8]) {
        if !self.wants_response_body() {
            return;
        }
        let limit = self.response_body_limit();
        let action = self.rules.options().response_body_limit_action;
        let values = &mut self.state.values;
        values.response_body_length = values.response_body_length.saturating_add(bytes.len());
        if keep(&mut values.response_body, bytes, limit) {
            return;
        }
        values.response_body_cut = true;
        if action == LimitAction::Reject {
            self.refuse_at_limit(
                500,
                Phase::ResponseBody,
                "the response body is longer than SecResponseBodyLimit",
            );
        }
    }

    /// Phase 4 may run now.
    pub fn end_response_body(&mut self) {
        self.open(Phase::ResponseBody);
    }

    /// Phase 5 may run now: the transaction is over, nothing can be refused any more.
    pub fn end(&mut self) {
        self.open(Phase::Logging);
    }

    /// Runs rules until the input given so far is judged or about `budget` rule evaluations are done (a rule costs one,
    /// and each value it looks at one more and one for every [`limits::COST_BYTES`]; at least one rule runs). After a
    /// refusal nothing but phase 5 runs. The body is parsed in one go at the start of phase 2: linear in a bounded length.
    pub fn advance(&mut self, budget: u32) -> Progress {
        self.advance_observed(budget, &mut Unobserved)
    }

    /// As [`Transaction::advance`], with each rule told to an observer before and after it runs.
    pub fn advance_observed<O: Observe>(&mut self, budget: u32, observer: &mut O) -> Progress {
        let rules = Arc::clone(&self.rules);
        let mut spent = 0_u32;
        while let Some(phase) = self.next_phase() {
            let steps = rules.steps(phase);
            let mut step = match self.cursor.step {
                Some(step) => step,
                None => {
                    self.begin(phase);
                    0
                }
            };
            while let Some(current) = steps.get(step) {
                if self.passes_over(phase) {
                    break;
                }
                if spent >= budget.max(1) {
                    self.cursor.step = Some(step);
                    return Progress::Pending;
                }
                let Step::Rule(rule) = current else {
                    step += 1;
                    continue;
                };
                observer.begins(rule.id, self);
                let evaluated = reference::evaluate(rule, &mut self.state);
                observer.ends(rule.id, evaluated.matched, self);
                spent = spent.saturating_add(evaluated.cost);
                step += 1;
                if evaluated.matched {
                    self.disrupt(rule);
                    step = follow(rule.flow, steps, step);
                }
            }
            if phase == Phase::Logging {
                self.state.store_records();
            }
            self.cursor = Cursor { phase: self.cursor.phase + 1, step: None, ..self.cursor };
        }
        Progress::Ready
    }

    /// The verdict so far. What a detect-mode tenant's proxy does with it is the proxy's matter.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Every rule that matched and logs, in order, capped.
    pub fn matches(&self) -> &[RuleMatch] {
        &self.state.matches
    }

    /// The inbound anomaly score (TX:anomaly_score of CRS 3, TX:blocking_inbound_anomaly_score of 4), 0 if unset.
    pub fn score(&self) -> i64 {
        let names = ["blocking_inbound_anomaly_score", "anomaly_score"];
        let mut found = names.iter().filter_map(|name| self.state.values.tx(name.as_bytes()));
        found.next().map_or(0, whole_number)
    }

    /// The sum of the anomaly scores that the rules of each paranoia level gave so far, inbound and outbound (CRS 3 and
    /// 4): what one rule adds is the difference.
    pub fn points(&self) -> i64 {
        let prefixes = ["anomaly_score_pl", "inbound_anomaly_score_pl", "outbound_anomaly_score_pl"];
        let names = prefixes.iter().flat_map(|prefix| (1..=4).map(move |level| format!("{prefix}{level}")));
        names.filter_map(|name| self.state.values.tx(name.as_bytes()).map(whole_number)).sum()
    }

    /// Why the request's body could not be read, as REQBODY_ERROR_MSG has it.
    pub fn body_error(&self) -> Option<&str> {
        self.state.values.body_error.as_deref()
    }

    fn open(&mut self, phase: Phase) {
        if let Some(open) = self.cursor.open.get_mut(usize::from(phase.number() - 1)) {
            *open = true;
        }
    }

    /// The phase that is to run or to go on: the first open one from where we stand.
    fn next_phase(&mut self) -> Option<Phase> {
        let ahead = self.cursor.open.iter().skip(self.cursor.phase).position(|open| *open)?;
        self.cursor.phase += ahead;
        Phase::ALL.get(self.cursor.phase).copied()
    }

    fn begin(&mut self, phase: Phase) {
        self.cursor.step = Some(0);
        self.state.values.path_decoded |= phase > Phase::RequestHeaders;
        let values = &mut self.state.values;
        let processor = processor(&self.state.control, values);
        if phase <= Phase::RequestBody {
            // Rules of phase 1 read and change it.
            values.body_processor = processor.map_or("", BodyProcessor::name).as_bytes().to_vec();
        }
        if phase != Phase::RequestBody || self.passes_over(phase) {
            return;
        }
        let values = &mut self.state.values;
        values.body_shown = self.state.control.force_request_body_variable
            || matches!(processor, None | Some(BodyProcessor::UrlEncoded));
        if values.body_length > 0 {
            body::decode(values, self.rules.options().request_body_limit);
        }
        match processor {
            Some(processor) if values.body_length > 0 => {
                body::process(values, processor, self.rules.options());
            }
            Some(BodyProcessor::Multipart) if values.header("content-length").is_some() => {
                body::look_at_boundary(values);
            }
            _ => {}
        }
    }

    fn disrupt(&mut self, rule: &Rule) {
        // Detection only: matches are logged, nothing is refused and nothing let through unjudged. In phase 5 the
        // answer has been given.
        if self.state.control.engine != EngineMode::On || rule.phase == Phase::Logging {
            return;
        }
        let (id, status) = (rule.id, rule.status);
        let disruption = match &rule.disruptive {
            Disruptive::Pass => return,
            Disruptive::Allow(allow) => {
                self.state.control.allow(*allow, rule.phase);
                return;
            }
            Disruptive::Deny => Disruption::Deny { rule: id, status },
            Disruptive::Drop => Disruption::Drop { rule: id },
            Disruptive::Redirect(location) => {
                let location = location.expand_lossy(&self.state.values);
                Disruption::Redirect { rule: id, status, location }
            }
        };
        self.verdict = Verdict::Refuse(disruption);
    }

    /// A limit refuses without a rule: id 0.
    fn refuse_at_limit(&mut self, status: u16, phase: Phase, msg: &str) {
        if self.state.control.engine == EngineMode::On && !self.refused() {
            let msg = msg.to_owned();
            self.state.matches.push(RuleMatch { phase: phase.number(), msg, ..RuleMatch::default() });
            self.verdict = Verdict::Refuse(Disruption::Deny { rule: 0, status });
        }
    }

    fn refused(&self) -> bool {
        self.verdict != Verdict::Pass
    }

    /// Rules are there and still have a say.
    fn judges(&self) -> bool {
        !self.rules.is_empty() && !self.refused() && self.state.control.engine != EngineMode::Off
    }

    fn passes_over(&self, phase: Phase) -> bool {
        (self.refused() && phase != Phase::Logging) || self.state.control.passes_over(phase)
    }
}

/// Appends up to the limit; false where bytes were left out.
fn keep(body: &mut Vec<u8>, bytes: &[u8], limit: usize) -> bool {
    let room = limit.saturating_sub(body.len());
    body.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    bytes.len() <= room
}

/// What a rule chose, else what the content type says.
fn processor(control: &Control, values: &Values) -> Option<BodyProcessor> {
    control.body_processor.or_else(|| values.header("content-type").and_then(body::processor_for))
}

/// The step after a match: skip counts rules, not markers.
fn follow(flow: Flow, steps: &[Step], next: usize) -> usize {
    match flow {
        Flow::Next => next,
        Flow::To(step) => step.max(next),
        Flow::Skip(rules) => {
            let ahead = steps.iter().enumerate().skip(next).filter(|(_, step)| matches!(step, Step::Rule(_)));
            ahead.take(rules).last().map_or(next, |(last, _)| last + 1)
        }
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests;

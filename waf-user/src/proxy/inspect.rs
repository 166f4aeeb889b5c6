//! Drives the rules over one request and its response, a budget at a time, so that no request holds up the worker's other
//! connections. What a refusal looks like on the wire is not known here.

use std::sync::Arc;

use super::limits::INSPECT_BUDGET;
use super::{Exclusions, Site};
use crate::engine::{Connection, Disruption, EngineMode, Progress, RuleMatch, Transaction, Verdict};
use crate::event::EventId;
use crate::http::{RequestHead, ResponseHead};
use crate::model::{Mode, Mono, Wall};

/// One request under inspection.
#[derive(Debug)]
pub(super) struct Inspection {
    /// None: the rules are off for this tenant.
    transaction: Option<Transaction>,
    spent_ns: u64,
}

impl Inspection {
    pub(super) fn new(site: &Site, connection: Connection, now: Wall, id: EventId) -> Self {
        // The tenant's mode wins over SecRuleEngine in rule files.
        let engine = match site.mode {
            Mode::Block => Some(EngineMode::On),
            Mode::Detect => Some(EngineMode::DetectionOnly),
            Mode::Off => None,
        };
        let transaction = engine.map(|engine| {
            let rules = Arc::clone(&site.rules);
            let id = id.to_string();
            let mut transaction = Transaction::new(rules, &site.settings, connection, now.0, &id);
            transaction.set_engine(engine);
            transaction.set_collections(Arc::clone(&site.collections), Arc::clone(&site.records_of));
            transaction
        });
        Self { transaction, spent_ns: 0 }
    }

    /// Phase 1.
    pub(super) async fn request_head(&mut self, head: &RequestHead, exclusions: &Exclusions) {
        if let Some(transaction) = &mut self.transaction {
            for exclusion in exclusions.of(head.target().as_bytes()) {
                transaction.exclude(Arc::clone(exclusion));
            }
            transaction.request_line(
                head.method().as_bytes(),
                head.target().as_bytes(),
                head.version().as_str(),
            );
            for field in head.fields().iter() {
                transaction.request_header(field.name.as_bytes(), field.value);
            }
            transaction.end_request_headers();
        }
        self.advance().await;
    }

    pub(super) fn wants_request_body(&self) -> bool {
        self.transaction.as_ref().is_some_and(Transaction::wants_request_body)
    }

    /// Bytes of the body that the rules keep.
    pub(super) fn request_body_limit(&self) -> usize {
        self.transaction.as_ref().map_or(0, Transaction::request_body_limit)
    }

    /// A piece of the request's body; phase 2 runs with [`Inspection::end_request_body`].
    pub(super) fn request_body(&mut self, bytes: &[u8]) {
        let started = Mono::now();
        if let Some(transaction) = &mut self.transaction {
            transaction.request_body(bytes);
        }
        self.spent_ns += Mono::now().since_ns(started);
    }

    /// Phase 2.
    pub(super) async fn end_request_body(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.end_request_body();
        }
        self.advance().await;
    }

    /// Phase 3.
    pub(super) async fn response_head(&mut self, head: &ResponseHead) {
        if let Some(transaction) = &mut self.transaction {
            transaction.response_line(head.status(), head.version().as_str());
            for field in head.fields().iter() {
                transaction.response_header(field.name.as_bytes(), field.value);
            }
            transaction.end_response_headers();
        }
        self.advance().await;
    }

    /// Asked before the origin is.
    pub(super) fn may_want_response_body(&self) -> bool {
        self.transaction.as_ref().is_some_and(Transaction::may_want_response_body)
    }

    /// Bytes of the answer's body that the rules keep.
    pub(super) fn response_body_limit(&self) -> usize {
        self.transaction.as_ref().map_or(0, Transaction::response_body_limit)
    }

    pub(super) fn wants_response_body(&self) -> bool {
        self.transaction.as_ref().is_some_and(Transaction::wants_response_body)
    }

    /// Phase 4, with what of the body is inspected.
    pub(super) async fn response_body(&mut self, bytes: &[u8]) {
        if let Some(transaction) = &mut self.transaction {
            transaction.response_body(bytes);
            transaction.end_response_body();
        }
        self.advance().await;
    }

    /// Phase 5.
    pub(super) async fn end(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.end();
        }
        self.advance().await;
    }

    async fn advance(&mut self) {
        let Some(transaction) = &mut self.transaction else { return };
        loop {
            let started = Mono::now();
            let progress = transaction.advance(INSPECT_BUDGET);
            self.spent_ns += Mono::now().since_ns(started);
            match progress {
                Progress::Ready => return,
                Progress::Pending => tokio::task::yield_now().await,
            }
        }
    }

    /// The refusal that is to be acted on: none for a tenant in detect mode.
    pub(super) fn refusal(&self) -> Option<&Disruption> {
        match self.transaction.as_ref()?.verdict() {
            Verdict::Pass => None,
            Verdict::Refuse(disruption) => Some(disruption),
        }
    }

    pub(super) fn matches(&self) -> &[RuleMatch] {
        self.transaction.as_ref().map(Transaction::matches).unwrap_or_default()
    }

    /// Every rule that matched and logs, once, in order.
    pub(super) fn rule_ids(&self) -> Vec<u64> {
        let mut ids = Vec::new();
        for matched in self.matches() {
            if !ids.contains(&matched.id) {
                ids.push(matched.id);
            }
        }
        ids
    }

    pub(super) fn score(&self) -> i64 {
        self.transaction.as_ref().map_or(0, Transaction::score)
    }

    /// Time in the rules.
    pub(super) fn spent_ns(&self) -> u64 {
        self.spent_ns
    }
}

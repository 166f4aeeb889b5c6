//! One request and its response, fed piece by piece, judged phase by phase, resumable between rules.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{RuleMatch, RuleSet, Settings, Verdict};

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

/// A transaction. Input calls only take bytes; `advance` runs the rules of the phases whose input is complete.
#[derive(Debug)]
pub struct Transaction {
    verdict: Verdict,
    matches: Vec<RuleMatch>,
}

impl Transaction {
    /// `now_unix_ms`: wall time for TIME* and expiry. `unique_id`: the request id.
    pub fn new(
        _rules: Arc<RuleSet>,
        _settings: &Settings,
        _connection: Connection,
        _now_unix_ms: u64,
        _unique_id: &str,
    ) -> Self {
        Self { verdict: Verdict::Pass, matches: Vec::new() }
    }

    /// `protocol` such as `HTTP/1.1`; `target` as it stood in the request line.
    pub fn request_line(&mut self, _method: &[u8], _target: &[u8], _protocol: &str) {}

    pub fn request_header(&mut self, _name: &[u8], _value: &[u8]) {}

    /// Phase 1 may run now.
    pub fn end_request_headers(&mut self) {}

    /// Whether the rules want body bytes at all (SecRequestBodyAccess), asked after phase 1.
    pub fn wants_request_body(&self) -> bool {
        true
    }

    pub fn request_body(&mut self, _bytes: &[u8]) {}

    /// Phase 2 may run now.
    pub fn end_request_body(&mut self) {}

    pub fn response_line(&mut self, _status: u16, _protocol: &str) {}

    pub fn response_header(&mut self, _name: &[u8], _value: &[u8]) {}

    /// Phase 3 may run now.
    pub fn end_response_headers(&mut self) {}

    /// Whether the response's body is to be given (SecResponseBodyAccess and its MIME types), asked after phase 3.
    pub fn wants_response_body(&self) -> bool {
        false
    }

    pub fn response_body(&mut self, _bytes: &[u8]) {}

    /// Phase 4 may run now.
    pub fn end_response_body(&mut self) {}

    /// Phase 5 may run now: the transaction is over, nothing can be refused any more.
    pub fn end(&mut self) {}

    /// Runs rules until the input given so far is judged or about `budget` rule evaluations are done. After a
    /// refusal nothing but phase 5 runs.
    pub fn advance(&mut self, _budget: u32) -> Progress {
        Progress::Ready
    }

    /// The verdict so far. What a detect-mode tenant's proxy does with it is the proxy's matter.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Every rule that matched and logs, in order, capped.
    pub fn matches(&self) -> &[RuleMatch] {
        &self.matches
    }

    /// The inbound anomaly score (TX:anomaly_score of CRS 3, TX:blocking_inbound_anomaly_score of 4), 0 if unset.
    pub fn score(&self) -> i64 {
        0
    }
}

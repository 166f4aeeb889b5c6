//! A test against compiled rules: its stages' requests through one transaction each, without a socket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::answer::Answer;
use super::reader::{self, ReadRequest};
use super::test_file::Test;
use crate::engine::{
    Collections, Connection, Disruption, MemoryCollections, Progress, RuleMatch, RuleSet, Settings,
    Transaction, Verdict,
};

/// Rule evaluations between two looks at the transaction; nobody else waits here.
const BUDGET: u32 = u32::MAX;

/// Runs tests; may be shared by threads.
#[derive(Debug)]
pub struct Runner {
    rules: Arc<RuleSet>,
    settings: Settings,
    now_unix_ms: u64,
}

/// What became of one stage's request.
#[derive(Clone, Debug, Default)]
pub struct Happened {
    pub status: u16,
    /// Why the client sees no answer.
    pub no_answer: Option<String>,
    /// Head and body as sent.
    pub answer: Vec<u8>,
    /// Each once, in the order of their first match.
    pub ids: Vec<u64>,
    /// One line a match, as mod_security2 writes its log.
    pub log: Vec<String>,
}

/// How a test ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// None: passed; else the stage, from 0, and why.
    pub failure: Option<(usize, String)>,
    pub stages: Vec<Happened>,
}

impl Runner {
    /// `now_unix_ms`: the wall time that all tests see.
    pub fn new(rules: Arc<RuleSet>, settings: Settings, now_unix_ms: u64) -> Self {
        Self { rules, settings, now_unix_ms }
    }

    /// All stages in order, up to the first that is not as expected.
    pub fn run(&self, test: &Test) -> Ended {
        let collections: Arc<dyn Collections> = Arc::new(MemoryCollections::default());
        let mut client = Client { collections, cookies: Vec::new(), location: None };
        let mut ended = Ended { failure: None, stages: Vec::new() };
        for (index, stage) in test.stages.iter().enumerate() {
            let input = &stage.input;
            let followed =
                client.location.take().filter(|_| input.follows_redirect).map(|location| vec![location]);
            for uri in followed.as_ref().unwrap_or(&input.uris) {
                let request = reader::read(&input.bytes(uri, &client.cookies)).joined();
                let answer = input.answer.clone().unwrap_or_else(|| Answer::of(&request));
                let (happened, answer) = self.exchange(&request, answer, &client);
                client.remember(&answer, input.saves_cookies);
                let failure = stage.expected.judge(&happened);
                ended.stages.push(happened);
                if let Some(reason) = failure {
                    ended.failure = Some((index, reason));
                    return ended;
                }
            }
        }
        ended
    }

    /// One request and its answer through the rules.
    fn exchange(&self, request: &ReadRequest, answer: Answer, client: &Client) -> (Happened, Answer) {
        let settings = &self.settings;
        let id = "regression-test";
        let mut transaction =
            Transaction::new(Arc::clone(&self.rules), settings, loopback(), self.now_unix_ms, id);
        transaction.set_collections(Arc::clone(&client.collections), "test");
        let mut advance = |transaction: &mut Transaction| transaction.advance(BUDGET);
        let refused = request.bad.is_some();
        if !refused {
            feed_request(&mut transaction, request, &mut advance);
        }
        let mut answer = match request.bad.or(request.bad_later) {
            Some(reason) => Answer { status: 400, body: reason.as_bytes().to_vec(), ..Answer::default() },
            None => answer,
        };
        if request.method == b"HEAD" {
            answer.body.clear();
        }
        if !refused && *transaction.verdict() == Verdict::Pass {
            feed_answer(&mut transaction, &answer, &mut advance);
        }
        if let Verdict::Refuse(disruption) = transaction.verdict() {
            answer = refusal(disruption);
        }
        if !refused {
            transaction.end();
            while advance(&mut transaction) == Progress::Pending {}
        }
        let no_answer = match (transaction.verdict(), request.unanswered) {
            (Verdict::Refuse(Disruption::Drop { .. }), _) => Some("the connection is closed".to_owned()),
            (Verdict::Refuse(_), _) => None,
            (Verdict::Pass, reason) => reason.filter(|_| !refused).map(str::to_owned),
        };
        let mut ids: Vec<u64> = Vec::new();
        for one in transaction.matches().iter().filter(|one| one.id != 0) {
            if !ids.contains(&one.id) {
                ids.push(one.id);
            }
        }
        let log = transaction.matches().iter().map(|one| log_line(one, request)).collect();
        let happened = Happened { status: answer.status, no_answer, answer: answer.bytes(), ids, log };
        (happened, answer)
    }
}

/// What the client keeps between the stages of a test.
struct Client {
    collections: Arc<dyn Collections>,
    cookies: Vec<(String, String)>,
    location: Option<String>,
}

impl Client {
    fn remember(&mut self, answer: &Answer, cookies: bool) {
        self.location =
            answer.header("location").filter(|_| (300..400).contains(&answer.status)).map(str::to_owned);
        let set =
            answer.headers.iter().filter(|(name, _)| cookies && name.eq_ignore_ascii_case("set-cookie"));
        for (_, value) in set {
            let pair = value.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.cookies.retain(|(known, _)| known != name.trim());
            self.cookies.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
}

/// Phases 1 and 2, each run to its end by `advance`.
pub fn feed_request(
    transaction: &mut Transaction,
    request: &ReadRequest,
    advance: &mut dyn FnMut(&mut Transaction) -> Progress,
) {
    transaction.request_line(&request.method, &request.target, &request.protocol);
    for (name, value) in &request.headers {
        transaction.request_header(name, value);
    }
    transaction.end_request_headers();
    while advance(transaction) == Progress::Pending {}
    if transaction.wants_request_body() {
        transaction.request_body(&request.body);
    }
    transaction.end_request_body();
    while advance(transaction) == Progress::Pending {}
}

/// Phases 3 and 4, each run to its end by `advance`.
pub fn feed_answer(
    transaction: &mut Transaction,
    answer: &Answer,
    advance: &mut dyn FnMut(&mut Transaction) -> Progress,
) {
    transaction.response_line(answer.status, "HTTP/1.1");
    for (name, value) in &answer.headers {
        transaction.response_header(name.as_bytes(), value.as_bytes());
    }
    if !answer.body.is_empty() {
        transaction.response_header(b"Content-Length", answer.body.len().to_string().as_bytes());
    }
    transaction.end_response_headers();
    while advance(transaction) == Progress::Pending {}
    if transaction.wants_response_body() {
        transaction.response_body(&answer.body);
    }
    transaction.end_response_body();
    while advance(transaction) == Progress::Pending {}
}

fn refusal(disruption: &Disruption) -> Answer {
    match disruption {
        Disruption::Deny { status, .. } => Answer { status: *status, ..Answer::default() },
        Disruption::Drop { .. } => Answer::default(),
        Disruption::Redirect { status, location, .. } => {
            let headers = vec![("Location".to_owned(), location.clone())];
            Answer { status: *status, headers, body: Vec::new() }
        }
    }
}

fn loopback() -> Connection {
    let address = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    Connection { client: address(50_000), server: address(80) }
}

fn log_line(one: &RuleMatch, request: &ReadRequest) -> String {
    let mut line =
        format!("ModSecurity: Warning. Match at {}. [id \"{}\"] [msg \"{}\"]", one.variable, one.id, one.msg);
    if !one.logdata.is_empty() {
        line.push_str(&format!(" [data \"{}\"]", one.logdata));
    }
    if let Some(severity) = one.severity {
        let names = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
        let name = names.get(usize::from(severity)).copied().unwrap_or_default();
        line.push_str(&format!(" [severity \"{name}\"]"));
    }
    for tag in &one.tags {
        line.push_str(&format!(" [tag \"{tag}\"]"));
    }
    let (host, uri) = (request.header("host").unwrap_or_default(), &request.target);
    line.push_str(&format!(
        " [hostname \"{}\"] [uri \"{}\"]",
        String::from_utf8_lossy(host),
        String::from_utf8_lossy(uri)
    ));
    line
}

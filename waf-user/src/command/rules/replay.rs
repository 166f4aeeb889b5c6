//! `waf rules replay`: one recorded request through the rules, with what each rule saw and cost.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};
use waf_user::engine::regression::{self, Answer, ReadRequest};
use waf_user::engine::{
    Connection, Disruption, EngineMode, Levels, Observe, Progress, RuleMatch, RuleSet, Settings, Transaction,
    Verdict,
};

use super::{Found, severity, sources};

/// Bytes of a recorded request: more than a node judges.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Show every rule that a request matches, with value, transformations, span, score and cost.
///
/// The file holds a request as it goes over the wire, or a line of a node's own request or event log (JSON).
#[derive(Args)]
#[command(
    after_help = "Examples:\n  waf rules replay request.http            by the Core Rule Set of Debian's package\n  \
    printf 'GET /?id=1%%27+or+1=1-- HTTP/1.1\\r\\nHost: a.test\\r\\n\\r\\n' | waf rules replay -\n  \
    waf rules replay request.http --rules /srv/coreruleset --paranoia-level 2 --runs 100 --all\n  \
    grep 0190d5e1c0a87f5e requests.jsonl | waf rules replay -\n\n\
    A raw request is read leniently: lines may end in LF, chunks are joined, the body is what Content-Length says. With\n\
    --response FILE an answer (raw) goes through phases 3 and 4 too; without, an empty 200 does.\n\
    A log line has method, host, target and the client's address, but neither header fields nor body, and its target is\n\
    redacted: what is replayed of it is told apart.\n\n\
    Costs are the least of --runs runs, in microseconds, by this machine's clock around each rule.\n\
    Exit codes: 0 shown (also a refusal), 2 the request or the rules cannot be read, or wrong usage."
)]
pub struct Replay {
    /// The request; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Rule files, patterns or folders; none: Debian's modsecurity-crs
    #[arg(long, value_name = "FILE", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// The answer, raw
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,
    /// In place of what the rules say, as the tenant's setting
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    paranoia_level: Option<u8>,
    /// As the tenant's setting
    #[arg(long, value_name = "N")]
    inbound_threshold: Option<u32>,
    /// As the tenant's setting
    #[arg(long, value_name = "N")]
    outbound_threshold: Option<u32>,
    /// The client's address
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
    /// How often, for the cost
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// The cost of every rule that ran, not only of the ten dearest
    #[arg(long)]
    all: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What one rule cost and gave.
#[derive(Clone, Copy, Debug)]
struct Cost {
    least: Duration,
    points: i64,
}

/// Looks on: time and points of each rule.
struct Watch<'a> {
    costs: &'a mut BTreeMap<u64, Cost>,
    started: Instant,
    points_before: i64,
}

impl Observe for Watch<'_> {
    fn begins(&mut self, _rule: u64, transaction: &Transaction) {
        self.points_before = transaction.points();
        self.started = Instant::now();
    }

    fn ends(&mut self, rule: u64, _matched: bool, transaction: &Transaction) {
        let spent = self.started.elapsed();
        let points = transaction.points() - self.points_before;
        let cost = self.costs.entry(rule).or_insert(Cost { least: spent, points });
        cost.least = cost.least.min(spent);
    }
}

impl Replay {
    pub fn run(self) -> Found {
        let (request, client, note) = read_file(&self.file).and_then(|bytes| understand(&bytes))?;
        let answer = match &self.response {
            Some(path) => answer(&read_file(path)?),
            None => Answer { status: 200, ..Answer::default() },
        };
        let files = sources::read(&self.rules)?;
        let rules = sources::compile(&files)?;
        let client = self.client.or(client).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut costs = BTreeMap::new();
        let mut transaction = self.once(&rules, &request, &answer, client, &mut costs);
        for _ in 1..self.runs {
            transaction = self.once(&rules, &request, &answer, client, &mut costs);
        }
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", to_json(&transaction, &request, &costs, note))?;
        } else {
            self.print(&mut out, &transaction, &request, &costs, note)?;
        }
        Ok(true)
    }

    fn once(
        &self,
        rules: &Arc<RuleSet>,
        request: &ReadRequest,
        answer: &Answer,
        client: IpAddr,
        costs: &mut BTreeMap<u64, Cost>,
    ) -> Transaction {
        let levels = Levels {
            paranoia_level: self.paranoia_level,
            inbound_threshold: self.inbound_threshold,
            outbound_threshold: self.outbound_threshold,
        };
        let settings = Settings::new(levels, self.response.is_some().then_some(true));
        let connection = Connection {
            client: SocketAddr::new(client, 50_000),
            server: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 80),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let now_unix_ms = u64::try_from(now).unwrap_or(u64::MAX);
        let mut transaction =
            Transaction::new(Arc::clone(rules), &settings, connection, now_unix_ms, "replay");
        transaction.set_engine(EngineMode::On);
        let mut watch = Watch { costs, started: Instant::now(), points_before: 0 };
        let mut advance = |transaction: &mut Transaction| transaction.advance_observed(u32::MAX, &mut watch);
        regression::feed_request(&mut transaction, request, &mut advance);
        if *transaction.verdict() == Verdict::Pass {
            regression::feed_answer(&mut transaction, answer, &mut advance);
        }
        transaction.end();
        while advance(&mut transaction) == Progress::Pending {}
        transaction
    }

    fn print(
        &self,
        out: &mut impl Write,
        transaction: &Transaction,
        request: &ReadRequest,
        costs: &BTreeMap<u64, Cost>,
        note: Option<&str>,
    ) -> io::Result<()> {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (method, target) = (lossy(&request.method), lossy(&request.target));
        let (fields, body) = (request.headers.len(), request.body.len());
        writeln!(
            out,
            "request {method} {target} {}, {fields} header fields, body of {body} bytes",
            request.protocol
        )?;
        if let Some(note) = note {
            writeln!(out, "note    {note}")?;
        }
        if request.unread_bytes > 0 {
            writeln!(
                out,
                "note    {} bytes after the head are no body: no Content-Length",
                request.unread_bytes
            )?;
        }
        if let Some(reason) = request.bad.or(request.bad_later).or(request.unanswered) {
            writeln!(out, "note    a strict server refuses it: {reason}")?;
        }
        if let Some(reason) = transaction.body_error() {
            writeln!(out, "note    the body cannot be read: {reason}")?;
        }
        for one in transaction.matches() {
            print_match(out, one, costs.get(&one.id))?;
        }
        let score = transaction.score();
        match transaction.verdict() {
            Verdict::Pass => writeln!(out, "verdict pass, score {score}")?,
            Verdict::Refuse(disruption) => writeln!(out, "verdict {}, score {score}", words(disruption))?,
        }
        let total: Duration = costs.values().map(|cost| cost.least).sum();
        writeln!(out, "cost    {} rules in {} µs; dearest:", costs.len(), micros(total))?;
        for (id, cost) in dearest(costs).into_iter().take(if self.all { usize::MAX } else { 10 }) {
            writeln!(out, "  {id:<10} {:>10} µs", micros(cost.least))?;
        }
        Ok(())
    }
}

fn print_match(out: &mut impl Write, one: &RuleMatch, cost: Option<&Cost>) -> io::Result<()> {
    let level = one.severity.map(|number| format!(" [{}]", severity(number))).unwrap_or_default();
    writeln!(out, "rule {}, phase {}{level}: {}", one.id, one.phase, one.msg)?;
    if !one.variable.is_empty() {
        let chain =
            if one.transformations.is_empty() { "none".to_owned() } else { one.transformations.join(", ") };
        writeln!(out, "  value   {} = {:?} after {chain}", one.variable, one.value)?;
    }
    if let Some((from, to)) = one.span {
        let text = one.value.get(from..to).map(|text| format!(" {text:?}")).unwrap_or_default();
        writeln!(out, "  match   bytes {from}..{to}{text}")?;
    }
    if !one.logdata.is_empty() {
        writeln!(out, "  data    {}", one.logdata)?;
    }
    if let Some(cost) = cost {
        writeln!(out, "  score   {:+}, cost {} µs", cost.points, micros(cost.least))?;
    }
    Ok(())
}

fn words(disruption: &Disruption) -> String {
    match disruption {
        Disruption::Deny { rule, status } => format!("deny with {status} by rule {rule}"),
        Disruption::Drop { rule } => format!("drop by rule {rule}"),
        Disruption::Redirect { rule, status, location } => {
            format!("redirect with {status} to {location} by rule {rule}")
        }
    }
}

fn dearest(costs: &BTreeMap<u64, Cost>) -> Vec<(u64, Cost)> {
    let mut costs: Vec<(u64, Cost)> = costs.iter().map(|(id, cost)| (*id, *cost)).collect();
    costs.sort_by_key(|(id, cost)| (std::cmp::Reverse(cost.least), *id));
    costs
}

fn micros(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1e6)
}

fn to_json(t: &Transaction, request: &ReadRequest, costs: &BTreeMap<u64, Cost>, note: Option<&str>) -> Value {
    let us = |cost: &Cost| (cost.least.as_secs_f64() * 1e7).round() / 10.0;
    let matches: Vec<Value> = t.matches().iter().map(|one| {
        let cost = costs.get(&one.id);
        json!({
            "id": one.id, "phase": one.phase, "msg": one.msg, "severity": one.severity, "tags": one.tags,
            "logdata": one.logdata, "variable": one.variable, "value": one.value, "span": one.span,
            "transformations": one.transformations, "score": cost.map(|cost| cost.points), "cost_us": cost.map(us),
        })
    }).collect();
    let (verdict, rule, status) = match t.verdict() {
        Verdict::Pass => ("pass", None, None),
        Verdict::Refuse(disruption) => match disruption {
            Disruption::Deny { rule, status } => ("deny", Some(*rule), Some(*status)),
            Disruption::Drop { rule } => ("drop", Some(*rule), None),
            Disruption::Redirect { rule, status, .. } => ("redirect", Some(*rule), Some(*status)),
        },
    };
    let costs: Vec<Value> =
        dearest(costs).iter().map(|(id, cost)| json!({"id": id, "cost_us": us(cost)})).collect();
    json!({
        "method": String::from_utf8_lossy(&request.method), "target": String::from_utf8_lossy(&request.target),
        "protocol": request.protocol, "body_bytes": request.body.len(), "note": note, "refused_by_strict_servers": request.bad.or(request.bad_later),
        "body_error": t.body_error(), "verdict": verdict, "rule": rule, "status": status, "score": t.score(),
        "matches": matches, "costs": costs,
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(FILE_BYTES_MAX).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(bytes)
}

/// A request with the client's address and a remark, from raw bytes or a log line.
fn understand(bytes: &[u8]) -> Result<(ReadRequest, Option<IpAddr>, Option<&'static str>), String> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        let request = regression::read_request(bytes);
        return match request.method.is_empty() {
            true => Err("the file holds no request".to_owned()),
            false => Ok((request, None, None)),
        };
    }
    let line = bytes.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let record: Value =
        serde_json::from_slice(line).map_err(|error| format!("the log line is no JSON: {error}"))?;
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    let (Some(method), Some(target)) = (text("method"), text("target")) else {
        return Err(
            "the log line has no method and target: only requests that were read can be replayed".to_owned()
        );
    };
    let request = ReadRequest {
        method: method.as_bytes().to_vec(),
        target: target.as_bytes().to_vec(),
        protocol: "HTTP/1.1".to_owned(),
        headers: vec![(b"Host".to_vec(), text("host").unwrap_or_default().as_bytes().to_vec())],
        ..ReadRequest::default()
    };
    let client = text("client_ip").and_then(|address| address.parse().ok());
    Ok((
        request,
        client,
        Some("a log line has no header fields but Host and no body, and its target is redacted"),
    ))
}

/// A raw answer.
fn answer(bytes: &[u8]) -> Answer {
    // A status line has the shape of a request line: protocol, status, reason.
    let read = regression::read_request(bytes);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let start = text(bytes.get(..64).unwrap_or(bytes));
    let status = start.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(200);
    let lengthless = read.header("content-length").is_none() && read.body.is_empty();
    let rest = bytes.len().saturating_sub(read.unread_bytes);
    let body = if lengthless { bytes.get(rest..).unwrap_or_default().to_vec() } else { read.body };
    let named = |name: &[u8]| !name.eq_ignore_ascii_case(b"content-length");
    let headers = read.headers.iter().filter(|(name, _)| named(name));
    Answer { status, headers: headers.map(|(name, value)| (text(name), text(value))).collect(), body }
}

//! One record -> one line of JSON, capped and redacted. Field names are a contract with whoever reads the logs.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use super::limits::{
    DETAIL_LEN_MAX, HOST_LEN_MAX, LOGDATA_LEN_MAX, MATCHES_MAX, METHOD_LEN_MAX, MSG_LEN_MAX, RULE_IDS_MAX,
    TAG_LEN_MAX, TAGS_MAX, TARGET_LEN_MAX, TRANSFORMATIONS_MAX, VALUE_LEN_MAX, VARIABLE_LEN_MAX,
};
use super::{Event, RequestRecord, Stage, redact};
use crate::engine::RuleMatch;
use crate::model::Wall;

#[derive(Serialize)]
struct RequestLine<'a> {
    time: String,
    request_id: String,
    tenant: Option<u32>,
    client_ip: IpAddr,
    client_port: u16,
    method: &'a str,
    host: &'a str,
    target: Cow<'a, str>,
    status: u16,
    verdict: &'static str,
    score: i64,
    rules: &'a [u64],
    inspect_us: u64,
    total_us: u64,
}

/// `id` first: a look-up tells an event by the beginning of its line.
#[derive(Serialize)]
struct EventLine<'a> {
    id: String,
    time: String,
    mono_ns: u64,
    tenant: Option<u32>,
    client_ip: IpAddr,
    client_port: u16,
    server_ip: IpAddr,
    server_port: u16,
    stage: &'static str,
    reason: &'static str,
    refused: bool,
    status: Option<u16>,
    method: &'a str,
    host: &'a str,
    target: Cow<'a, str>,
    sni: Option<&'a str>,
    score: i64,
    rules: Vec<RuleLine<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    rules_omitted: usize,
    detail: &'a str,
}

#[derive(Serialize)]
struct RuleLine<'a> {
    id: u64,
    phase: u8,
    msg: &'a str,
    severity: Option<u8>,
    tags: Vec<&'a str>,
    logdata: Cow<'a, str>,
    variable: &'a str,
    value: Cow<'a, str>,
    span: Option<(usize, usize)>,
    transformations: Vec<&'a str>,
}

/// Appends the line of the request log.
pub fn request(record: &RequestRecord, line: &mut Vec<u8>) {
    let client = record.client.ip().to_canonical();
    append(
        &RequestLine {
            time: rfc3339(record.time),
            request_id: record.request_id.to_string(),
            tenant: record.tenant.map(|tenant| tenant.number()),
            client_ip: client,
            client_port: record.client.port(),
            method: cap(&record.method, METHOD_LEN_MAX),
            host: cap(&record.host, HOST_LEN_MAX),
            target: capped(redact::target(&record.target), TARGET_LEN_MAX),
            status: record.status,
            verdict: record.verdict,
            score: record.score,
            rules: record.rules.get(..RULE_IDS_MAX).unwrap_or(&record.rules),
            inspect_us: record.inspect_us,
            total_us: record.total_us,
        },
        line,
    );
}

/// Appends the line of the event log.
pub fn event(event: &Event, line: &mut Vec<u8>) {
    append(
        &EventLine {
            id: event.id.to_string(),
            time: rfc3339(event.time),
            mono_ns: event.mono.0,
            tenant: event.tenant.map(|tenant| tenant.number()),
            client_ip: event.client.ip().to_canonical(),
            client_port: event.client.port(),
            server_ip: event.server.ip().to_canonical(),
            server_port: event.server.port(),
            stage: stage(event.stage),
            reason: event.reason.label(),
            refused: event.refused,
            status: event.status,
            method: cap(&event.method, METHOD_LEN_MAX),
            host: cap(&event.host, HOST_LEN_MAX),
            target: capped(redact::target(&event.target), TARGET_LEN_MAX),
            sni: event.sni.as_deref().map(|sni| cap(sni, HOST_LEN_MAX)),
            score: event.score,
            rules: event.matches.iter().take(MATCHES_MAX).map(rule).collect(),
            rules_omitted: event.matches.len().saturating_sub(MATCHES_MAX),
            detail: cap(&event.detail, DETAIL_LEN_MAX),
        },
        line,
    );
}

fn rule(matched: &RuleMatch) -> RuleLine<'_> {
    let value = redact::value(&matched.variable, &matched.value);
    let logdata = redact::value(&matched.variable, &matched.logdata);
    // A span points into the value as it was.
    let span = matched.span.filter(|_| matches!(value, Cow::Borrowed(_)));
    RuleLine {
        id: matched.id,
        phase: matched.phase,
        msg: cap(&matched.msg, MSG_LEN_MAX),
        severity: matched.severity,
        tags: matched.tags.iter().take(TAGS_MAX).map(|tag| cap(tag, TAG_LEN_MAX)).collect(),
        logdata: capped(logdata, LOGDATA_LEN_MAX),
        variable: cap(&matched.variable, VARIABLE_LEN_MAX),
        value: capped(value, VALUE_LEN_MAX),
        span,
        transformations: matched
            .transformations
            .iter()
            .take(TRANSFORMATIONS_MAX)
            .map(|name| cap(name, TAG_LEN_MAX))
            .collect(),
    }
}

const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Kernel => "kernel",
        Stage::Tls => "tls",
        Stage::Http => "http",
        Stage::List => "list",
        Stage::Rules => "rules",
        Stage::Origin => "origin",
    }
}

/// serde_json escapes control characters below space and line ends: one record stays one line.
fn append(record: &impl Serialize, line: &mut Vec<u8>) {
    let start = line.len();
    match serde_json::to_writer(&mut *line, record) {
        Ok(()) => line.push(b'\n'),
        // Plain structs into memory cannot fail; were it so, no half line may stay.
        Err(_) => line.truncate(start),
    }
}

/// RFC 3339 in UTC with milliseconds. A clock beyond year 9999 gives the epoch.
fn rfc3339(time: Wall) -> String {
    let time = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", time.unwrap_or_default())
}

/// At most `max` bytes, cut between characters.
fn cap(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

fn capped(text: Cow<'_, str>, max: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(cap(text, max)),
        Cow::Owned(mut text) => {
            text.truncate(text.floor_char_boundary(max));
            Cow::Owned(text)
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

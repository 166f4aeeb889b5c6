//! Bodies made to cost: bounded time and memory and a stated verdict for each, by the starter rules and by the Core Rule Set
//! at its highest level. The deadlines are generous on purpose: a quadratic step would miss them by far.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Request, gzip, refusal, run, run_with, starter};
use crate::engine::compile::packaged::{Disk, packaged};
use crate::engine::{Levels, RuleSet, Settings, Transaction, limits};

const DEADLINE: Duration = Duration::from_secs(20);
/// A hundred times as many rules, in a build that is not optimised.
const DEADLINE_PACKAGED: Duration = Duration::from_secs(120);
/// What one transaction may take beside its body: copies of the body for arguments, matches and transformations.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const XML: &str = "text/xml";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const BYTES: usize = 65_536;

/// Name, request, and who refuses it with the starter rules.
type Row = (&'static str, Request, Option<(u64, u16)>);

/// The engine's own refusal of a body that cannot be read, or not to its end.
const UNREAD: Option<(u64, u16)> = Some((100_110, 400));
/// Longer than what is judged.
const TOO_LONG: Option<(u64, u16)> = Some((0, 413));

fn long(text: &str) -> String {
    text.repeat(BYTES / text.len())
}

fn rows() -> Vec<Row> {
    let entities: String = (1..40).map(|n| format!("<!ENTITY e{n} \"&e{};&e{};\">", n - 1, n - 1)).collect();
    let bomb = format!("<!DOCTYPE a SYSTEM \"x\" [<!ENTITY e0 \"lol\">{entities}]><a>&e39;</a>");
    let attributes = format!("<a>{}</a>", "<b c='1'/>".repeat(10_000));
    let one_element: String = (0..5_000).map(|number| format!(" xmlns:a{number}='1'")).collect();
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let form = |text: &str| Request::post(FORM, format!("a={}", long(text)));
    let spread = |text: &str| {
        let value = text.repeat(56 / text.len());
        Request::post(FORM, format!("a={value}&").repeat(limits::ARGUMENTS))
    };
    vec![
        ("random bytes as text", Request::post("text/plain", pseudo_random(BYTES)), None),
        ("random bytes as a form", Request::post(FORM, pseudo_random(BYTES)), Some((100_111, 403))),
        ("random bytes as JSON", Request::post(JSON, pseudo_random(BYTES)), UNREAD),
        ("one long value", form("x"), None),
        ("prefixes of a comparison", form("' or "), None),
        ("prefixes of a union", form("union select "), None),
        ("open brackets", form("<a "), None),
        ("open attributes", form("<a b=c on"), None),
        ("open parentheses", form("("), None),
        ("entities", form("%26%23"), None),
        ("comments", form("/*"), None),
        ("dots", form("..;"), None),
        ("steps upwards", form("../"), Some((100_140, 403))),
        ("look-ups", form("${jndi:"), Some((100_153, 403))),
        ("words and spaces", form("a b "), None),
        ("backslashes", Request::post(JSON, format!("\"{}\"", long("\\\\"))), None),
        ("1,000 values that nearly match", spread("'or'a'"), None),
        ("1,000 back-references in the making", spread("a=a<"), None),
        ("10,000 parameters", Request::post(FORM, "a=1&".repeat(10_000)), UNREAD),
        ("10,000 leaves", Request::post(JSON, format!("[{}1]", "1,".repeat(10_000))), UNREAD),
        ("JSON nested 100,000 deep", Request::post(JSON, "[".repeat(100_000)), UNREAD),
        ("objects in objects", Request::post(JSON, "{\"a\":".repeat(20_000)), UNREAD),
        ("multipart of 10,000 parts", Request::post(MULTIPART, part.repeat(10_000)), UNREAD),
        ("gzip bomb", zipped(), TOO_LONG),
        ("no gzip", Request::post(JSON, "{}").header("Content-Encoding", "gzip"), UNREAD),
        ("XML entity bomb", Request::post(XML, bomb), UNREAD),
        ("elements in elements", Request::post(XML, "<a>".repeat(20_000)), UNREAD),
        ("10,000 XML attributes", Request::post(XML, attributes), UNREAD),
        ("5,000 names in one XML element", Request::post(XML, format!("<a{one_element}/>")), UNREAD),
        ("past the limit, JSON", Request::post(JSON, format!("[\"{}\"]", "x".repeat(200_000))), TOO_LONG),
        ("past the limit, form", Request::post(FORM, format!("a={}", "x".repeat(200_000))), TOO_LONG),
    ]
}

#[test]
fn bodies_end_with_a_stated_verdict() {
    let rules = starter();
    let mut wrong = Vec::new();
    for (name, request, expected) in rows() {
        let refused = refusal(&measured(name, DEADLINE, || run(&rules, &request)));
        if refused != expected {
            wrong.push(format!("{name}: {refused:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With `--nocapture` and alone a table, as in the README.
#[test]
fn bodies_end_with_the_core_rule_set_too() {
    let files = packaged();
    if files.is_empty() {
        return;
    }
    let compiled = RuleSet::compile_with_defaults(&files, &Disk).unwrap_or_else(|errors| panic!("{errors}"));
    let rules = Arc::new(compiled);
    let levels = Levels { paranoia_level: Some(4), inbound_threshold: Some(5), outbound_threshold: Some(4) };
    let settings = Settings::new(levels, None);
    println!("| case, paranoia level 4 | verdict | matches | ms | peak KiB |\n|---|---|---|---|---|");
    for (name, request, refused) in rows() {
        let transaction = measured(name, DEADLINE_PACKAGED, || run_with(&rules, &settings, &request));
        assert!(refused.is_none() || refusal(&transaction).is_some(), "{name}");
    }
}

/// How often a case is run whose memory is over the bound: the process's memory is read, to which the tests beside this one
/// add theirs. A case that is over by itself is so each time.
const RUNS_MAX: usize = 5;

/// Runs one case, prints its row and holds it to its bounds.
fn measured(name: &str, deadline: Duration, run: impl Fn() -> Transaction) -> Transaction {
    let once = || {
        let before = memory(true);
        let started = Instant::now();
        let transaction = run();
        (transaction, started.elapsed(), memory(false).saturating_sub(before))
    };
    let (mut transaction, mut took, mut bytes) = once();
    for _ in 1..RUNS_MAX {
        if bytes < BYTES_MAX {
            break;
        }
        (transaction, took, bytes) = once();
    }
    let verdict = match refusal(&transaction) {
        Some((rule, status)) => format!("{status} by {rule}"),
        None => "pass".to_owned(),
    };
    let matches = transaction.matches().len();
    println!("| {name} | {verdict} | {matches} | {} | {} |", took.as_millis(), bytes / 1024);
    assert!(took < deadline, "{name} took {took:?}");
    assert!(bytes < BYTES_MAX, "{name} took {bytes} bytes");
    transaction
}

/// Resident bytes now, after which the high-water mark starts anew, or that mark. Other tests of this process count too,
/// so that only a case that runs alone is measured well. 0 where the system does not tell.
fn memory(start: bool) -> u64 {
    if start {
        let _ = fs::write("/proc/self/clear_refs", "5");
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = if start { "VmRSS:" } else { "VmHWM:" };
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// 50 MiB of one byte as a form.
fn zipped() -> Request {
    Request::post(FORM, gzip(&vec![b'x'; 50 * 1024 * 1024])).header("Content-Encoding", "gzip")
}

/// A linear congruential sequence: the same bytes in every run.
fn pseudo_random(length: usize) -> Vec<u8> {
    let mut state = 12_345_u32;
    let step = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let [high, ..] = state.to_be_bytes();
        high
    };
    std::iter::repeat_with(step).take(length).collect()
}

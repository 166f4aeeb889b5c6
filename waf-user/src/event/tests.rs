//! Lines as the readers of the logs get them, and the way there when disks and readers fail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::limits::{
    DETAIL_LEN_MAX, LINE_LEN_MAX, LOGDATA_LEN_MAX, MATCHES_MAX, QUEUE_LEN_MAX, RULE_IDS_MAX, TAGS_MAX,
    TARGET_LEN_MAX, VALUE_LEN_MAX,
};
use super::{
    Event, EventId, Journal, JournalError, LossCounter, Reason, RequestRecord, Stage, find, line, printable,
    redact,
};
use crate::engine::RuleMatch;
use crate::model::{Mono, TenantId, Wall};

/// 2026-11-24T12:34:56.789Z.
const TIME: Wall = Wall(1_795_523_696_789);

fn id(number: u128) -> EventId {
    EventId::new(TIME, number)
}

fn request(number: u128) -> RequestRecord {
    RequestRecord {
        time: TIME,
        request_id: id(number),
        tenant: TenantId::new(1).ok(),
        client: "[::ffff:192.0.2.1]:4711".parse().unwrap(),
        method: "GET".into(),
        host: "www.example.test".into(),
        target: "/?q=1".into(),
        status: 403,
        verdict: "deny",
        score: 5,
        rules: vec![942_100],
        inspect_us: 120,
        total_us: 340,
    }
}

fn event(number: u128) -> Event {
    Event {
        id: id(number),
        time: TIME,
        mono: Mono(77),
        tenant: TenantId::new(1).ok(),
        client: "[2001:db8::1]:4711".parse().unwrap(),
        server: "10.1.0.10:443".parse().unwrap(),
        stage: Stage::Rules,
        reason: Reason::Rules,
        refused: true,
        status: Some(403),
        method: "GET".into(),
        host: "www.example.test".into(),
        target: "/?q=1'--&token=abc".into(),
        sni: Some("www.example.test".into()),
        score: 5,
        matches: vec![matched("ARGS:q", "1'--")],
        detail: "日本".into(),
    }
}

fn matched(variable: &str, value: &str) -> RuleMatch {
    RuleMatch {
        id: 942_100,
        phase: 2,
        msg: "SQL injection".into(),
        severity: Some(2),
        tags: vec!["attack-sqli".into()],
        logdata: format!("found {value}"),
        variable: variable.into(),
        value: value.into(),
        span: Some((1, 4)),
        transformations: vec!["urlDecodeUni".into()],
    }
}

fn json(event: &Event) -> Value {
    let mut bytes = Vec::new();
    line::event(event, &mut bytes);
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn request_lines_have_the_fields_of_the_contract() {
    let mut bytes = Vec::new();
    line::request(&request(1), &mut bytes);
    let expected = format!(
        concat!(
            r#"{{"time":"2026-11-24T12:34:56.789Z","request_id":"{}","tenant":1,"client_ip":"192.0.2.1","#,
            r#""client_port":4711,"method":"GET","host":"www.example.test","target":"/?q=1","status":403,"#,
            r#""verdict":"deny","score":5,"rules":[942100],"inspect_us":120,"total_us":340}}"#,
            "\n"
        ),
        id(1)
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn event_lines_have_the_fields_of_the_contract() {
    let mut bytes = Vec::new();
    line::event(&event(1), &mut bytes);
    let expected = format!(
        concat!(
            r#"{{"id":"{}","time":"2026-11-24T12:34:56.789Z","mono_ns":77,"tenant":1,"#,
            r#""client_ip":"2001:db8::1","client_port":4711,"server_ip":"10.1.0.10","server_port":443,"#,
            r#""stage":"rules","reason":"rules","refused":true,"status":403,"method":"GET","#,
            r#""host":"www.example.test","target":"/?q=1'--&token=[redacted 3 bytes]","#,
            r#""sni":"www.example.test","score":5,"rules":[{{"id":942100,"phase":2,"msg":"SQL injection","#,
            r#""severity":2,"tags":["attack-sqli"],"logdata":"found 1'--","variable":"ARGS:q","#,
            r#""value":"1'--","span":[1,4],"transformations":["urlDecodeUni"]}}],"detail":"日本"}}"#,
            "\n"
        ),
        id(1)
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn targets_lose_their_secrets() {
    let rows = [
        ("/", "/"),
        ("/?q=1&password=abc", "/?q=1&password=[redacted 3 bytes]"),
        ("/?password=abc&q=1", "/?password=[redacted 3 bytes]&q=1"),
        ("/?PassWord=a%20b#x", "/?PassWord=[redacted 5 bytes]#x"),
        ("/?pass%77ord=abc", "/?pass%77ord=[redacted 3 bytes]"),
        (
            "/?passwd=1&token=22;secret=333",
            "/?passwd=[redacted 1 bytes]&token=[redacted 2 bytes];secret=[redacted 3 bytes]",
        ),
        ("/?password=", "/?password="),
        ("/?password", "/?password"),
        ("/?user[password]=abc", "/?user[password]=[redacted 3 bytes]"),
        ("/?token=a=b", "/?token=[redacted 3 bytes]"),
        ("/?tokens=abc", "/?tokens=abc"),
        ("/token=abc", "/token=abc"),
        ("/?q=%", "/?q=%"),
        ("/?%zz=1&%7", "/?%zz=1&%7"),
        ("/?q=日本&secret=日", "/?q=日本&secret=[redacted 3 bytes]"),
    ];
    for (target, expected) in rows {
        assert_eq!(redact::target(target), expected, "{target}");
    }
}

#[test]
fn matches_lose_their_secrets() {
    let rows = [
        ("REQUEST_COOKIES:session", "abcd", "[redacted 4 bytes]"),
        ("REQUEST_COOKIES", "abcd", "[redacted 4 bytes]"),
        ("REQUEST_COOKIES_NAMES:session", "session", "[redacted 7 bytes]"),
        ("request_cookies:x", "abcd", "[redacted 4 bytes]"),
        ("REQUEST_HEADERS:Authorization", "Basic x", "[redacted 7 bytes]"),
        ("REQUEST_HEADERS:cookie", "a=b", "[redacted 3 bytes]"),
        ("REQUEST_HEADERS:Proxy-Authorization", "x", "[redacted 1 bytes]"),
        ("RESPONSE_HEADERS:Set-Cookie", "x", "[redacted 1 bytes]"),
        (
            "REQUEST_HEADERS:Referer",
            "https://a.test/?token=abc&q=<script>",
            "https://a.test/?token=[redacted 3 bytes]&q=<script>",
        ),
        ("RESPONSE_HEADERS:Location", "/?token=abc", "/?token=[redacted 3 bytes]"),
        ("REQUEST_HEADERS:User-Agent", "a?token=abc", "a?token=abc"),
        ("REQUEST_HEADERS:User-Agent", "sqlmap", "sqlmap"),
        ("ARGS:password", "abc", "[redacted 3 bytes]"),
        ("ARGS_POST:Token", "abc", "[redacted 3 bytes]"),
        ("ARGS:json.user.secret", "abc", "[redacted 3 bytes]"),
        ("ARGS:q", "password", "password"),
        ("REQUEST_URI", "/?token=abc&q=1", "/?token=[redacted 3 bytes]&q=1"),
        ("QUERY_STRING", "token=abc&q=1", "token=[redacted 3 bytes]&q=1"),
        ("REQUEST_LINE", "GET /?token=abc HTTP/1.1", "GET /?token=[redacted 3 bytes] HTTP/1.1"),
        ("REQUEST_BODY", "a=1&password=abc", "a=1&password=[redacted 3 bytes]"),
        ("REQUEST_COOKIES:session", "", ""),
    ];
    for (variable, value, expected) in rows {
        assert_eq!(redact::value(variable, value), expected, "{variable}");
    }
    let mut secret = event(1);
    secret.matches = vec![matched("REQUEST_COOKIES:session", "0123456789")];
    let text = json(&secret).to_string();
    assert!(!text.contains("0123456789"), "{text}");
    assert!(text.contains(r#""value":"[redacted 10 bytes]""#) && text.contains(r#""span":null"#), "{text}");
}

#[test]
fn records_are_capped() {
    for (over, omitted) in [(0, None), (1, Some(1))] {
        let mut large = event(1);
        large.target = "日".repeat(TARGET_LEN_MAX);
        large.detail = "d".repeat(DETAIL_LEN_MAX + over);
        large.matches = vec![matched("ARGS:q", &"v".repeat(VALUE_LEN_MAX + over)); MATCHES_MAX + over];
        large.matches[0].tags = vec!["t".into(); TAGS_MAX + over];
        let json = json(&large);
        let len = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap().len();
        // Cut between characters: 2,048 is no multiple of three bytes.
        assert_eq!(len("/target"), TARGET_LEN_MAX / 3 * 3);
        assert_eq!(len("/detail"), DETAIL_LEN_MAX);
        assert_eq!(len("/rules/0/value"), VALUE_LEN_MAX);
        assert_eq!(json["rules"].as_array().unwrap().len(), MATCHES_MAX);
        assert_eq!(json["rules"][0]["tags"].as_array().unwrap().len(), TAGS_MAX);
        assert_eq!(json.get("rules_omitted").and_then(Value::as_u64), omitted);
    }
    let mut record = request(1);
    record.rules = (0..1_000).collect();
    let mut bytes = Vec::new();
    line::request(&record, &mut bytes);
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["rules"].as_array().unwrap().len(), RULE_IDS_MAX);
}

#[test]
fn the_largest_line_can_be_read_back() {
    let worst = "\u{1}".repeat(4 * 1024);
    let mut largest = event(1);
    largest.method.clone_from(&worst);
    largest.host.clone_from(&worst);
    largest.target.clone_from(&worst);
    largest.sni = Some(worst.clone());
    largest.detail.clone_from(&worst);
    let mut rule = matched(&worst, &worst);
    rule.msg.clone_from(&worst);
    rule.logdata.clone_from(&worst);
    rule.tags = vec![worst.clone(); 100];
    rule.transformations = vec![worst; 100];
    largest.matches = vec![rule; 100];
    let mut bytes = Vec::new();
    line::event(&largest, &mut bytes);
    assert!(bytes.len() < LINE_LEN_MAX, "{}", bytes.len());
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["rules"][0]["logdata"].as_str().unwrap().len(), LOGDATA_LEN_MAX);
}

#[test]
fn ids_are_read_as_people_type_them() {
    let text = id(0xabc).to_string();
    assert_eq!(text.len(), 32);
    let rows = [
        (text.clone(), true),
        (format!(" {}\n", text.to_uppercase()), true),
        (text[1..].to_owned(), false),
        (format!("{text}0"), false),
        (format!("+{}", &text[1..]), false),
        (format!("{}g", &text[1..]), false),
        (String::new(), false),
        ("日".repeat(11), false),
    ];
    for (text, expected) in rows {
        assert_eq!(text.parse::<EventId>().is_ok(), expected, "{text:?}");
    }
    assert_eq!(text.parse(), Ok(id(0xabc)));
    assert!(EventId::new(Wall(1), u128::MAX) < EventId::new(Wall(2), 0));
}

#[test]
fn nothing_moves_the_cursor() {
    let rows = [
        ("plain 日本語 é", "plain 日本語 é"),
        ("\u{1b}[2Jx", "\\u{1b}[2Jx"),
        ("a\r\nb\t", "a\\u{d}\\u{a}b\\u{9}"),
        ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
        ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
        ("", ""),
    ];
    for (text, expected) in rows {
        assert_eq!(printable(text), expected, "{text:?}");
    }
}

/// Counts losses.
#[derive(Default)]
struct Lost {
    requests: AtomicU64,
    events: AtomicU64,
}

impl LossCounter for Lost {
    fn requests_lost(&self, lines: u64) {
        self.requests.fetch_add(lines, Relaxed);
    }

    fn events_lost(&self, events: u64) {
        self.events.fetch_add(events, Relaxed);
    }
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waf-event-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.0);
    }
}

fn open(requests: Option<&Path>, events: Option<&Path>) -> (Journal, Arc<Lost>) {
    let lost = Arc::new(Lost::default());
    let losses: Arc<dyn LossCounter> = Arc::<Lost>::clone(&lost);
    (Journal::open(requests, events, losses).unwrap(), lost)
}

#[test]
fn records_arrive_in_their_files() {
    let folder = Folder::new("arrive");
    let (requests, events) = (folder.file("requests.jsonl"), folder.file("events.jsonl"));
    let (journal, lost) = open(Some(&requests), Some(&events));
    assert!(journal.wants_requests() && journal.wants_events());
    for number in 0..100 {
        journal.request(request(number));
        journal.event(event(number));
    }
    assert!(journal.flush());
    assert_eq!(fs::read_to_string(&requests).unwrap().lines().count(), 100);
    assert_eq!(find(&events, id(42)).unwrap().unwrap()["id"], id(42).to_string());
    assert_eq!(find(&events, id(100)).unwrap(), None);
    assert_eq!(fs::metadata(&events).unwrap().permissions().mode() & 0o777 & !0o640, 0);
    assert_eq!((lost.requests.load(Relaxed), lost.events.load(Relaxed)), (0, 0));
}

#[test]
fn without_files_nothing_is_wanted() {
    let folder = Folder::new("without");
    for journal in [Journal::disabled(), open(None, None).0] {
        assert!(!journal.wants_requests() && !journal.wants_events());
        journal.request(request(1));
        journal.event(event(1));
        journal.reopen();
        assert!(journal.flush());
    }
    let events = folder.file("events.jsonl");
    let (journal, lost) = open(None, Some(&events));
    journal.request(request(1));
    assert!(journal.flush());
    assert_eq!(lost.requests.load(Relaxed), 0, "what nobody wants is no loss");
    let missing = folder.file("none").join("events.jsonl");
    let error = Journal::open(None, Some(&missing), Arc::new(Lost::default())).unwrap_err();
    assert!(matches!(&error, JournalError::Open { path, .. } if *path == missing.display().to_string()));
}

#[test]
fn rotation_moves_on_to_a_new_file() {
    let folder = Folder::new("rotation");
    let (events, old) = (folder.file("events.jsonl"), folder.file("events.jsonl.1"));
    let (journal, _) = open(None, Some(&events));
    journal.event(event(1));
    assert!(journal.flush());
    fs::rename(&events, &old).unwrap();
    journal.event(event(2));
    journal.reopen();
    journal.event(event(3));
    assert!(journal.flush());
    for (path, number, expected) in
        [(&old, 1, true), (&old, 2, true), (&events, 3, true), (&events, 2, false)]
    {
        assert_eq!(find(path, id(number)).unwrap().is_some(), expected, "{number}");
    }
}

#[test]
fn torn_and_foreign_lines_hide_nothing() {
    let folder = Folder::new("torn");
    let events = folder.file("events.jsonl");
    let wanted = id(7).to_string();
    let long = "x".repeat(LINE_LEN_MAX + 10);
    let before = format!(
        "not json\n\n{{\"id\":\"{wanted}\"\n{{\"id\":\"{wanted}\",\"time\n{long}\n{{\"target\":\"{wanted}\"}}\n\u{0}\n{{\"id\":\"tor"
    );
    fs::write(&events, before).unwrap();
    assert_eq!(find(&events, id(7)).unwrap(), None);
    let (journal, _) = open(None, Some(&events));
    journal.event(event(7));
    assert!(journal.flush());
    assert_eq!(find(&events, id(7)).unwrap().unwrap()["mono_ns"], 77);
    assert!(find(&folder.file("none"), id(7)).is_err());
}

#[test]
fn a_full_disk_is_counted() {
    let (journal, lost) = open(None, Some(Path::new("/dev/full")));
    for number in 0..10 {
        journal.event(event(number));
    }
    assert!(journal.flush());
    assert_eq!(lost.events.load(Relaxed), 10);
}

#[test]
fn a_stuck_reader_blocks_nobody() {
    let folder = Folder::new("stuck");
    let pipe = folder.file("events.pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // The journal holds the pipe open for reading too, but reads nothing: 64 KiB, and the log thread waits.
    let (journal, lost) = open(None, Some(&pipe));
    let sent = QUEUE_LEN_MAX * 3;
    for number in 0..sent {
        journal.event(event(number as u128));
    }
    let kept = sent as u64 - lost.events.load(Relaxed);
    assert!(kept >= QUEUE_LEN_MAX as u64 && kept < sent as u64, "{kept}");
    assert!(!journal.flush_within(Duration::from_millis(20)));
    // Let the thread go: read until it has written what it kept.
    let mut reader = std::io::BufReader::new(fs::File::open(&pipe).unwrap());
    let mut lines = 0;
    while lines < kept {
        lines += u64::from(std::io::BufRead::skip_until(&mut reader, b'\n').unwrap() > 0);
    }
}

proptest! {
    #[test]
    fn no_text_breaks_a_line(target: String, value: String, variable: String) {
        let mut hostile = event(1);
        hostile.target.clone_from(&target);
        hostile.detail.clone_from(&value);
        hostile.matches = vec![matched(&variable, &value), matched("REQUEST_URI", &target)];
        prop_assert_eq!(json(&hostile)["id"].clone(), Value::from(id(1).to_string()));
        prop_assert!(!printable(&target).contains(char::is_control));
    }

    #[test]
    fn no_secret_survives(
        before in "[a-z/]{0,8}",
        name in "[pP]ass[wW]ord|PASSWD|token|[sS]ecret",
        secret in "[A-Z0-9]{12}",
        after in "(&[a-z]{1,3}=[a-z0-9]{0,4}){0,3}",
    ) {
        let target = format!("/{before}?a=1&{name}={secret}{after}");
        let redacted = redact::target(&target);
        prop_assert!(!redacted.contains(&secret), "{}", redacted);
        prop_assert!(redacted.ends_with(&after), "{}", redacted);
    }

    #[test]
    fn no_file_breaks_a_look_up(bytes: Vec<u8>) {
        let folder = Folder::new("any");
        let path = folder.file("events.jsonl");
        fs::write(&path, bytes).unwrap();
        prop_assert_eq!(find(&path, id(1)).unwrap(), None);
    }
}

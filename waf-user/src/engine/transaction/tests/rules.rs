//! Rules through whole transactions: actions, chains, flow, phases, modes, limits, budgets.

use std::sync::Arc;

use super::{Request, compiled, refusal, run, transaction, transaction_with};
use crate::engine::{
    Disruption, EngineMode, Exclude, Exclusion, Levels, Progress, RuleChoice, RuleSet, Settings, Transaction,
    Verdict, limits,
};

pub fn ids(transaction: &Transaction) -> Vec<u64> {
    transaction.matches().iter().map(|matched| matched.id).collect()
}

/// Rule and status.
type Refusal = Option<(u64, u16)>;

/// (name, media type or action, body, ids that match, refusal)
type Fed<'a> = (&'a str, &'a str, &'a [u8], &'a [u64], Refusal);

/// (name, rules, target, ids that match, refusal)
type Row = (&'static str, &'static str, &'static str, &'static [u64], Refusal);

#[test]
fn one_request() {
    let rows: &[Row] = &[
        ("deny", "SecRule ARGS:a \"@streq 1\" \"id:1,phase:1,deny\"", "/?a=1", &[1], Some((1, 403))),
        ("status", "SecRule ARGS:a \"1\" \"id:1,phase:2,deny,status:429\"", "/?a=1", &[1], Some((1, 429))),
        ("key without case", "SecRule ARGS:Ab \"1\" \"id:1,phase:1,pass\"", "/?aB=1", &[1], None),
        ("regex key", "SecRule ARGS:/^a[0-9]$/ \"x\" \"id:1,phase:1,pass\"", "/?a1=x&b1=x", &[1], None),
        ("exclusion", "SecRule ARGS|!ARGS:a \"x\" \"id:1,phase:1,pass\"", "/?a=x", &[], None),
        ("exclusion by regex", "SecRule ARGS|!ARGS:/^a/ \"x\" \"id:1,phase:1,pass\"", "/?ab=x", &[], None),
        ("count", "SecRule &ARGS:a \"@eq 2\" \"id:1,phase:1,pass\"", "/?a=x&a=y&b=z", &[1], None),
        ("count of none", "SecRule &ARGS:q \"@eq 0\" \"id:1,phase:1,pass\"", "/?a=x", &[1], None),
        ("negated", "SecRule ARGS \"!@rx ^[a-z]+$\" \"id:1,phase:1,pass\"", "/?a=x&b=1", &[1], None),
        ("negated, nothing there", "SecRule ARGS \"!@rx y\" \"id:1,phase:1,pass\"", "/", &[], None),
        ("each value", "SecRule ARGS \"x\" \"id:1,phase:1,pass\"", "/?a=x&b=x&c=y", &[1, 1], None),
        ("nolog", "SecRule ARGS \"x\" \"id:1,phase:1,pass,nolog\"", "/?a=x", &[], None),
        ("action", "SecAction \"id:1,phase:1,pass\"", "/", &[1], None),
        (
            "default action",
            "SecDefaultAction \"phase:1,deny,status:406,log\"\nSecRule ARGS x \"id:1,phase:1,block\"",
            "/?a=x",
            &[1],
            Some((1, 406)),
        ),
        (
            "transformations of the default, dropped by none",
            "SecDefaultAction \"phase:1,pass,log,t:uppercase\"\nSecRule ARGS X \"id:1,phase:1\"\n\
             SecRule ARGS X \"id:2,phase:1,t:none\"",
            "/?a=x",
            &[1],
            None,
        ),
        (
            "chain holds",
            "SecRule ARGS:a 1 \"id:1,phase:1,deny,chain\"\nSecRule ARGS:b 2 \"chain\"\nSecRule ARGS:c 3",
            "/?a=1&b=2&c=3",
            &[1],
            Some((1, 403)),
        ),
        (
            "chain breaks",
            "SecRule ARGS:a 1 \"id:1,phase:1,deny,chain\"\nSecRule ARGS:b 2",
            "/?a=1&b=3",
            &[],
            None,
        ),
        (
            "skipAfter",
            "SecAction \"id:1,phase:1,pass,skipAfter:END\"\nSecAction \"id:2,phase:1,deny\"\nSecMarker END\n\
             SecAction \"id:3,phase:1,pass\"",
            "/",
            &[1, 3],
            None,
        ),
        (
            "skip counts rules",
            "SecAction \"id:1,phase:1,pass,skip:2\"\nSecAction \"id:2,phase:1,deny\"\nSecMarker M\n\
             SecAction \"id:3,phase:1,deny\"\nSecAction \"id:4,phase:1,pass\"",
            "/",
            &[1, 4],
            None,
        ),
        (
            "phases in order",
            "SecAction \"id:2,phase:2,pass\"\nSecAction \"id:1,phase:1,pass\"",
            "/",
            &[1, 2],
            None,
        ),
        (
            "nothing after a refusal",
            "SecAction \"id:1,phase:1,deny\"\nSecAction \"id:2,phase:1,pass\"\nSecAction \"id:3,phase:2,pass\"",
            "/",
            &[1],
            Some((1, 403)),
        ),
        ("allow", "SecAction \"id:1,phase:1,allow\"\nSecAction \"id:2,phase:2,deny\"", "/", &[1], None),
        (
            "allow:phase",
            "SecAction \"id:1,phase:1,allow:phase\"\nSecAction \"id:2,phase:1,deny\"\nSecAction \"id:3,phase:2,pass\"",
            "/",
            &[1, 3],
            None,
        ),
        (
            "removed by id",
            "SecAction \"id:1,phase:1,deny\"\nSecAction \"id:2,phase:1,pass\"\nSecRuleRemoveById 1 5-9",
            "/",
            &[2],
            None,
        ),
        (
            "ctl removes a rule",
            "SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2-3\"\nSecAction \"id:2,phase:1,deny\"",
            "/",
            &[],
            None,
        ),
        (
            "ctl removes a target",
            "SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;ARGS:a\"\nSecRule ARGS x \"id:2,phase:1,pass\"",
            "/?a=x&b=x",
            &[2],
            None,
        ),
        (
            "ctl turns the engine off",
            "SecAction \"id:1,phase:1,pass,ctl:ruleEngine=Off\"\nSecAction \"id:2,phase:1,deny\"",
            "/",
            &[1],
            None,
        ),
        (
            "detection only",
            "SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,deny\"\nSecAction \"id:2,phase:2,deny\"",
            "/",
            &[1, 2],
            None,
        ),
        ("engine off", "SecRuleEngine Off\nSecAction \"id:1,phase:1,deny\"", "/", &[], None),
        (
            "setvar, score and threshold of the settings",
            "SecRule ARGS x \"id:1,phase:1,pass,nolog,setvar:'tx.anomaly_score=+%{tx.five}',setvar:tx.five=5\"\n\
             SecRule TX:anomaly_score \"@ge %{tx.inbound_anomaly_score_threshold}\" \"id:2,phase:1,deny\"",
            "/?a=x&b=x",
            &[2],
            Some((2, 403)),
        ),
        (
            "settings are there, others unset",
            "SecRule TX:paranoia_level \"@eq 2\" \"id:1,phase:1,pass\"\nSecRule &TX:other \"@eq 0\" \"id:2,phase:1,pass\"",
            "/",
            &[1, 2],
            None,
        ),
        (
            "capture in the next link",
            "SecRule ARGS:a \"@rx ^k(.)(.)$\" \"id:1,phase:1,deny,capture,chain\"\nSecRule TX:2 \"@streq z\"",
            "/?a=kyz",
            &[1],
            Some((1, 403)),
        ),
        (
            "setvar deletes",
            "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.a,setvar:!tx.a\"\nSecRule &TX:a \"@eq 1\" \"id:2,phase:1,deny\"",
            "/",
            &[],
            None,
        ),
        (
            "multiMatch sees the value before",
            "SecRule ARGS A \"id:1,phase:1,pass,t:none,t:lowercase,multiMatch\"\nSecRule ARGS A \"id:2,phase:1,pass,t:lowercase\"",
            "/?a=A",
            &[1],
            None,
        ),
        (
            "multiMatch acts on each changed value",
            "SecRule ARGS \"@rx (?i)a\" \"id:1,phase:1,pass,nolog,t:none,t:lowercase,t:trim,multiMatch,setvar:tx.n=+1\"\n\
             SecRule TX:n \"@eq 2\" \"id:2,phase:1,pass\"",
            "/?a=A",
            &[2],
            None,
        ),
        (
            "matched variables",
            "SecRule ARGS x \"id:1,phase:1,deny,chain\"\nSecRule MATCHED_VARS_NAMES \"@streq ARGS:b\" \"chain\"\n\
             SecRule MATCHED_VAR \"@streq ARGS:b\"",
            "/?a=x&b=x",
            &[1],
            Some((1, 403)),
        ),
        (
            "absolute form",
            "SecRule REQUEST_URI \"@streq /p?q\" \"id:1,phase:1,pass\"",
            "http://h/p?q",
            &[1],
            None,
        ),
        (
            "file name",
            "SecRule REQUEST_BASENAME \"@streq b c\" \"id:1,phase:1,pass\"",
            "/a/b%20c?x",
            &[1],
            None,
        ),
    ];
    for (name, rules, target, matched, refused) in rows {
        let transaction = run(&compiled(rules), &Request::get(target));
        assert_eq!(ids(&transaction), *matched, "{name}");
        assert_eq!(refusal(&transaction), *refused, "{name}");
    }
}

#[test]
fn a_match_says_what_where_and_why() {
    let rules = compiled(
        "SecRule ARGS \"@rx b(c)\" \"id:7,phase:1,pass,capture,t:none,t:lowercase,severity:ERROR,tag:one,tag:'two %{RULE.id}',\\\n\
         msg:'Found %{TX.1}',logdata:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'\"",
    );
    let transaction = run(&rules, &Request::get("/?Q=aBC"));
    let [matched] = transaction.matches() else { panic!("one match") };
    assert_eq!((matched.id, matched.phase, matched.severity, matched.span), (7, 1, Some(3), Some((1, 3))));
    assert_eq!((matched.msg.as_str(), matched.logdata.as_str()), ("Found c", "ARGS:Q=abc"));
    assert_eq!((matched.variable.as_str(), matched.value.as_str()), ("ARGS:Q", "abc"));
    assert_eq!(
        (matched.tags.clone(), matched.transformations.clone()),
        (vec!["one".to_owned(), "two 7".to_owned()], vec!["lowercase".to_owned()],)
    );
}

#[test]
fn drop_and_redirect() {
    let rules = compiled(
        "SecRule ARGS:a 1 \"id:1,phase:1,drop\"\nSecRule ARGS:a 2 \"id:2,phase:1,redirect:https://x/%{ARGS.a}\"",
    );
    let verdict = |target: &str| run(&rules, &Request::get(target)).verdict().clone();
    assert_eq!(verdict("/?a=1"), Verdict::Refuse(Disruption::Drop { rule: 1 }));
    let location = "https://x/2".to_owned();
    assert_eq!(verdict("/?a=2"), Verdict::Refuse(Disruption::Redirect { rule: 2, status: 302, location }));
}

/// A body that was announced and is empty: its boundary is looked at, as in the reference engine.
#[test]
fn an_empty_multipart_body() {
    let rules = compiled(
        "SecRule MULTIPART_STRICT_ERROR \"@eq 1\" \"id:1,phase:2,pass\"\nSecRule REQBODY_ERROR \"@eq 1\" \"id:2,phase:2,pass\"",
    );
    let rows: &[(&str, &str, bool, &[u64])] = &[
        ("sound", "multipart/form-data; boundary=b", true, &[]),
        ("spaced", "multipart/form-data; boundary= b", true, &[1]),
        ("no boundary", "multipart/form-data", true, &[1, 2]),
        ("not announced", "multipart/form-data; boundary= b", false, &[]),
    ];
    for (name, media_type, is_announced, expected) in rows {
        let mut transaction = transaction(&rules);
        transaction.request_line(b"POST", b"/", "HTTP/1.1");
        transaction.request_header(b"Content-Type", media_type.as_bytes());
        if *is_announced {
            transaction.request_header(b"Content-Length", b"0");
        }
        transaction.end_request_headers();
        transaction.end_request_body();
        transaction.advance(u32::MAX);
        assert_eq!(ids(&transaction), *expected, "{name}");
    }
}

#[test]
fn exclusions_of_a_tenant() {
    let rules = compiled("SecRule ARGS|REQUEST_COOKIES|REQUEST_HEADERS:X-A \"x\" \"id:5,phase:1,pass\"");
    let rows: &[(&[Exclude<'_>], usize)] = &[
        (&[], 3),
        (&[Exclude::Parameter("Q")], 2),
        (&[Exclude::Cookie("c"), Exclude::Header("x-a")], 1),
        (&[Exclude::Rule], 0),
    ];
    for (excluded, expected) in rows {
        let mut transaction = transaction(&rules);
        for what in *excluded {
            transaction.exclude(Arc::new(Exclusion::new(&RuleChoice::Ids(5, 5), &[*what])));
        }
        transaction.request_line(b"GET", b"/?q=x", "HTTP/1.1");
        transaction.request_header(b"Cookie", b"c=x");
        transaction.request_header(b"X-A", b"x");
        transaction.end_request_headers();
        assert_eq!(transaction.advance(u32::MAX), Progress::Ready);
        assert_eq!(transaction.matches().len(), *expected, "{excluded:?}");
    }
}

#[test]
fn exclusions_choose_rules_by_id_range_and_tag() {
    let rules = compiled(
        "SecRule ARGS \"x\" \"id:5,phase:1,pass,tag:attack-a\"\n\
         SecRule ARGS \"x\" \"id:6,phase:1,pass,tag:attack-ab\"\n\
         SecRule ARGS \"x\" \"id:7,phase:1,pass,chain\"\n SecRule ARGS_GET_NAMES \"q\" \"t:none\"",
    );
    let (ids, tag) = (RuleChoice::Ids, |tag: &str| RuleChoice::Tag(tag.to_owned()));
    let rows: &[(&str, RuleChoice, &[Exclude<'_>], &[u64])] = &[
        ("one", ids(5, 5), &[], &[6, 7]),
        ("range", ids(5, 6), &[], &[7]),
        ("tag", tag("attack-a"), &[], &[6, 7]),
        ("no part of a tag", tag("attack"), &[], &[5, 6, 7]),
        ("all links", ids(7, 7), &[Exclude::Parameter("q")], &[5, 6]),
        ("other name", ids(5, 7), &[Exclude::Parameter("r"), Exclude::Cookie("q")], &[5, 6, 7]),
    ];
    for (name, choice, what, expected) in rows {
        let mut transaction = transaction(&rules);
        transaction.exclude(Arc::new(Exclusion::new(choice, what)));
        transaction.request_line(b"GET", b"/?q=x", "HTTP/1.1");
        transaction.end_request_headers();
        transaction.advance(u32::MAX);
        let matched: Vec<u64> = transaction.matches().iter().map(|matched| matched.id).collect();
        assert_eq!(matched, *expected, "{name}");
    }
}

/// Levels that are set are read under every name that CRS has for them, and no rule changes them; others are the rules'.
#[test]
fn settings_of_a_tenant_are_not_overwritten() {
    let rules = compiled(
        "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.paranoia_level=4,setvar:'tx.inbound_anomaly_score_threshold=99',\
         setvar:tx.blocking_paranoia_level=+1,setvar:!tx.detection_paranoia_level\"\n\
         SecRule &TX:executing_paranoia_level \"@eq 0\" \"id:2,phase:1,pass\"\n\
         SecRule TX:paranoia_level|TX:blocking_paranoia_level|TX:detection_paranoia_level \"@eq 2\" \"id:3,phase:1,pass\"\n\
         SecRule TX:paranoia_level \"@eq 4\" \"id:4,phase:1,pass\"\n\
         SecRule TX:INBOUND_ANOMALY_SCORE_THRESHOLD \"@eq %{tx.inbound_anomaly_score_threshold}\" \"id:5,phase:1,pass,\
         msg:'%{tx.inbound_anomaly_score_threshold}'\"\n\
         SecRule TX:/^outbound_/ \"@eq 7\" \"id:6,phase:1,pass\"",
    );
    let levels = |paranoia_level, inbound_threshold, outbound_threshold| Levels {
        paranoia_level,
        inbound_threshold,
        outbound_threshold,
    };
    let rows: &[(&str, Levels, &[u64], &str)] = &[
        ("set", levels(Some(2), Some(5), Some(7)), &[3, 3, 3, 5, 6], "5"),
        ("not set", levels(None, None, None), &[2, 4, 5], "99"),
        ("one set", levels(None, Some(1), None), &[2, 4, 5], "1"),
    ];
    for (name, levels, expected, threshold) in rows {
        let mut transaction = transaction_with(&rules, &Settings::new(*levels, None));
        transaction.end_request_headers();
        transaction.advance(u32::MAX);
        let matched: Vec<u64> = transaction.matches().iter().map(|matched| matched.id).collect();
        assert_eq!(matched, *expected, "{name}");
        assert!(transaction.matches().iter().any(|matched| matched.msg == *threshold), "{name}");
    }
}

/// The list of matches is bounded, but no rule is missing from it.
#[test]
fn every_rule_that_matched_is_noted() {
    let rules = compiled(
        "SecRule ARGS \"x\" \"id:1,phase:1,pass\"\nSecAction \"id:2,phase:1,pass\"\nSecAction \"id:3,phase:1,pass\"",
    );
    let query = "a=x&".repeat(limits::MATCHES + 5);
    let transaction = run(&rules, &Request::get(&format!("/?{query}")));
    let noted: Vec<u64> = transaction.matches().iter().map(|matched| matched.id).collect();
    assert_eq!(noted.len(), limits::MATCHES + 2);
    assert_eq!(noted.get(limits::MATCHES - 1..), Some(&[1, 2, 3][..]));
}

#[test]
fn the_mode_of_a_tenant_wins() {
    let rows = [
        ("DetectionOnly", EngineMode::On, 1, Some((1, 403))),
        ("Off", EngineMode::On, 1, Some((1, 403))),
        ("On", EngineMode::DetectionOnly, 2, None),
        ("On", EngineMode::Off, 0, None),
        ("On\nSecAction \"id:9,phase:1,pass,nolog,ctl:ruleEngine=On\"", EngineMode::DetectionOnly, 2, None),
        ("On\nSecAction \"id:9,phase:1,pass,nolog,ctl:ruleEngine=Off\"", EngineMode::On, 0, None),
    ];
    for (written, mode, matches, refused) in rows {
        let text = "SecAction \"id:1,phase:1,deny\"\nSecAction \"id:2,phase:1,deny\"";
        let rules = compiled(&format!("SecRuleEngine {written}\n{text}"));
        let mut transaction = transaction(&rules);
        transaction.set_engine(mode);
        transaction.request_line(b"GET", b"/", "HTTP/1.1");
        transaction.end_request_headers();
        assert_eq!(transaction.advance(u32::MAX), Progress::Ready);
        assert_eq!(
            (transaction.matches().len(), refusal(&transaction)),
            (matches, refused),
            "{written} {mode:?}"
        );
    }
}

/// Feeds a response with this type and body; returns after phase 5.
fn respond(rules: &Arc<RuleSet>, media_type: &str, body: &[u8]) -> Transaction {
    let mut transaction = run(rules, &Request::get("/"));
    transaction.response_line(200, "HTTP/1.1");
    transaction.response_header(b"Content-Type", media_type.as_bytes());
    transaction.end_response_headers();
    transaction.advance(u32::MAX);
    if transaction.wants_response_body() {
        transaction.response_body(body);
    }
    transaction.end_response_body();
    transaction.advance(u32::MAX);
    transaction.end();
    transaction.advance(u32::MAX);
    transaction
}

#[test]
fn responses() {
    let rules = compiled(
        "SecResponseBodyAccess On\nSecResponseBodyLimit 8\n\
         SecRule RESPONSE_HEADERS:Content-Type \"@streq text/odd\" \"id:3,phase:3,deny\"\n\
         SecRule RESPONSE_BODY \"leak\" \"id:4,phase:4,deny,status:502\"\n\
         SecRule RESPONSE_STATUS \"@streq 200\" \"id:5,phase:5,deny\"",
    );
    let rows: &[Fed<'_>] = &[
        ("clean", "text/html; charset=utf-8", b"fine", &[5], None),
        ("body", "text/html", b"a leak", &[4, 5], Some((4, 502))),
        ("last byte of the limit", "text/html", b"....leak", &[4, 5], Some((4, 502))),
        ("past the limit", "text/html", b".....leak", &[5], None),
        ("type not looked at", "image/png", b"leak", &[5], None),
        ("head", "text/odd", b"", &[3, 5], Some((3, 403))),
    ];
    for (name, media_type, body, matched, refused) in rows {
        let transaction = respond(&rules, media_type, body);
        assert_eq!(ids(&transaction), *matched, "{name}");
        assert_eq!(refusal(&transaction), *refused, "{name}");
    }
}

#[test]
fn body_limit_on_both_sides() {
    let seen = "SecRule REQUEST_BODY \"x$\" \"id:1,phase:2,pass\"\nSecRule INBOUND_DATA_ERROR \"@eq 1\" \"id:2,phase:2,pass\"";
    let rows: &[Fed<'_>] = &[
        ("partial, at the limit", "ProcessPartial", b"1234567x", &[1], None),
        ("partial, past it", "ProcessPartial", b"12345678x", &[2], None),
        ("reject, at the limit", "Reject", b"1234567x", &[1], None),
        ("reject, past it", "Reject", b"12345678x", &[0], Some((0, 413))),
    ];
    for (name, action, body, matched, refused) in rows {
        let rules = compiled(&format!("SecRequestBodyLimit 8\nSecRequestBodyLimitAction {action}\n{seen}"));
        let transaction = run(&rules, &Request::post("text/plain", body.to_vec()));
        assert_eq!(ids(&transaction), *matched, "{name}");
        assert_eq!(refusal(&transaction), *refused, "{name}");
    }
    let detect = compiled(&format!(
        "SecRuleEngine DetectionOnly\nSecRequestBodyLimit 8\nSecRequestBodyLimitAction Reject\n{seen}"
    ));
    assert_eq!(refusal(&run(&detect, &Request::post("text/plain", "12345678x"))), None);
}

#[test]
fn argument_limit_on_both_sides() {
    let rules =
        compiled("SecArgumentsLimit 3\nSecRule REQBODY_ERROR \"@eq 1\" \"id:1,phase:2,deny,status:400\"");
    assert_eq!(refusal(&run(&rules, &Request::get("/?a&b&c"))), None);
    assert_eq!(refusal(&run(&rules, &Request::get("/?a&b&c&d"))), Some((1, 400)));
    let json = |text: &str| Request { target: "/?a&b".to_owned(), ..Request::post("application/json", text) };
    assert_eq!(refusal(&run(&rules, &json("[1]"))), None);
    assert_eq!(refusal(&run(&rules, &json("[1,2]"))), Some((1, 400)));
}

#[test]
fn any_budget_gives_the_same() {
    let rules = super::starter();
    let request = Request::post("application/json", r#"{"a":"x","b":["y","../../etc/passwd"]}"#);
    let whole = run(&rules, &request);
    for budget in [0, 1, 2, 7, 50] {
        let mut transaction = transaction(&rules);
        transaction.request_line(b"POST", b"/submit", "HTTP/1.1");
        transaction.request_header(b"Content-Type", b"application/json");
        transaction.end_request_headers();
        let mut turns = 0;
        while transaction.advance(budget) == Progress::Pending {
            turns += 1;
        }
        transaction.request_body(&request.body);
        transaction.end_request_body();
        while transaction.advance(budget) == Progress::Pending {
            turns += 1;
        }
        assert_eq!(transaction.verdict(), whole.verdict(), "budget {budget}");
        assert_eq!(ids(&transaction), ids(&whole), "budget {budget}");
        assert!(budget > 7 || turns > 2, "budget {budget} took {turns} turns");
    }
}

#[test]
fn a_long_value_costs_more_of_the_budget() {
    let rules = compiled(
        "SecRule REQUEST_BODY x \"id:1,phase:2,pass\"\nSecRule REQUEST_BODY x \"id:2,phase:2,pass\"\n\
         SecRule REQUEST_BODY x \"id:3,phase:2,pass\"",
    );
    for (bytes, expected) in [(10, 0), (64 * 1024, 2)] {
        let mut transaction = transaction(&rules);
        transaction.request_line(b"POST", b"/", "HTTP/1.1");
        transaction.request_body(&vec![b'y'; bytes]);
        transaction.end_request_body();
        let mut turns = 0;
        while transaction.advance(64) == Progress::Pending {
            turns += 1;
        }
        assert_eq!(turns, expected, "{bytes} bytes");
    }
}

#[test]
fn a_phase_without_input_is_passed_over() {
    let rules = compiled(
        "SecAction \"id:1,phase:1,pass\"\nSecAction \"id:2,phase:2,deny\"\nSecAction \"id:5,phase:5,pass\"",
    );
    let mut transaction = transaction(&rules);
    transaction.request_line(b"GET", b"/", "HTTP/1.1");
    transaction.end_request_headers();
    transaction.end();
    assert_eq!(transaction.advance(u32::MAX), Progress::Ready);
    assert_eq!(ids(&transaction), [1, 5]);
}

#[test]
fn ctl_chooses_the_body_processor() {
    let rules = compiled(
        "SecRule REQUEST_HEADERS:Content-Type \"@contains odd\" \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n\
         SecRule ARGS:json.a \"@streq b\" \"id:2,phase:2,pass\"\nSecRule REQBODY_PROCESSOR \"@streq JSON\" \"id:3,phase:2,pass\"",
    );
    let transaction = run(&rules, &Request::post("text/odd", r#"{"a":"b"}"#));
    assert_eq!(ids(&transaction), [2, 3]);
}

#[test]
fn matches_are_capped() {
    let rules = compiled("SecRule ARGS \"x\" \"id:1,phase:1,pass\"");
    let target = format!("/?{}", vec!["a=x"; 150].join("&"));
    let transaction = run(&rules, &Request::get(&target));
    assert_eq!(transaction.matches().len(), crate::engine::limits::MATCHES);
}

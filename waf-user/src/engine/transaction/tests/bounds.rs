//! What a request can make grow while rules run, on both sides of each bound.

use super::rules::ids;
use super::{Request, compiled, run};
use crate::engine::limits;

const FORM: &str = "application/x-www-form-urlencoded";

/// A rule set of one line and one more that sees its outcome; the ids that matched.
fn seen(rule: &str, seen: &str, request: &Request) -> Vec<u64> {
    let rules = compiled(&format!("SecArgumentsLimit 100000\n{rule}\n{seen}"));
    ids(&run(&rules, request))
}

#[test]
fn matched_values() {
    let rule = "SecRule ARGS \"x\" \"id:1,phase:2,pass,nolog,setvar:tx.n=+1\"";
    for (arguments, kept) in [
        (limits::MATCHED_VALUES, limits::MATCHED_VALUES),
        (limits::MATCHED_VALUES + 1, limits::MATCHED_VALUES),
    ] {
        let count = format!("SecRule TX:n \"@eq {kept}\" \"id:2,phase:2,pass\"");
        let request = Request::post(FORM, "a=x&".repeat(arguments));
        assert_eq!(seen(rule, &count, &request), [2], "{arguments}");
    }
}

#[test]
fn matched_bytes() {
    let rule = "SecRequestBodyLimit 16000000\nSecRequestBodyNoFilesLimit 16000000\n\
                SecRule ARGS \"x\" \"id:1,phase:2,pass,nolog,setvar:tx.n=+1\"";
    // Names of one byte and values that fill the bound in four.
    let quarter = limits::MATCHED_BYTES / 4 - "ARGS:a".len();
    for (last, kept) in [(0, 4), (1, 4)] {
        let count = format!("SecRule TX:n \"@eq {kept}\" \"id:2,phase:2,pass\"");
        let value = |bytes: usize| format!("a={}&", "x".repeat(bytes));
        let body = format!("{}{}", value(quarter).repeat(4), "a=x&".repeat(last));
        assert_eq!(seen(rule, &count, &Request::post(FORM, body)), [2], "{last}");
    }
    let count = "SecRule TX:n \"@eq 5\" \"id:2,phase:2,pass\"";
    let body = format!("{}a=x", format!("a={}&", "x".repeat(quarter - 1)).repeat(4));
    assert_eq!(seen(rule, count, &Request::post(FORM, body)), [2]);
}

#[test]
fn environment() {
    let rule = "SecRule ARGS_NAMES \"x\" \"id:1,phase:2,pass,nolog,setenv:%{MATCHED_VAR}=1\"";
    for (names, kept) in
        [(limits::ENV_VARIABLES, limits::ENV_VARIABLES), (limits::ENV_VARIABLES + 1, limits::ENV_VARIABLES)]
    {
        let count = format!("SecRule &ENV \"@eq {kept}\" \"id:2,phase:2,pass\"");
        let body: String = (0..names).map(|name| format!("x{name}=1&")).collect();
        assert_eq!(seen(rule, &count, &Request::post(FORM, body)), [2], "{names}");
    }
}

#[test]
fn tx_names() {
    let rule = "SecRule ARGS_NAMES \"x\" \"id:1,phase:2,pass,nolog,setvar:tx.%{MATCHED_VAR}=1\"";
    let body: String = (0..limits::TX_VARIABLES + 10).map(|name| format!("x{name}=1&")).collect();
    // Some are the settings' own.
    let count = format!(
        "SecRule &TX \"@le {}\" \"id:2,phase:2,pass\"\n\
         SecRule &TX:/^x/ \"@gt {}\" \"id:3,phase:2,pass\"",
        limits::TX_VARIABLES + 20,
        limits::TX_VARIABLES - 20
    );
    assert_eq!(seen(rule, &count, &Request::post(FORM, body)), [2, 3]);
}

#[test]
fn tx_bytes() {
    // Each value doubles one variable's text up to the bound of an expansion; each name gets such a text.
    let rule = "SecAction \"id:3,phase:2,pass,nolog,setvar:tx.a=xxxxxxxxxxxxxxxx\"\n\
                SecRule ARGS_NAMES \"x\" \"id:1,phase:2,pass,nolog,setvar:tx.a=%{tx.a}%{tx.a},setvar:tx.%{MATCHED_VAR}=%{tx.a}\"";
    let most = limits::TX_BYTES / limits::EXPANSION_BYTES;
    let body: String = (0..most * 2).map(|name| format!("x{name}=1&")).collect();
    let large = format!(
        "SecRule TX:/^x/ \"@rx ^.{{{}}}$\" \"id:2,phase:2,pass,nolog,t:none,setvar:tx.large=+1\"\n\
                         SecRule TX:large \"@lt {most}\" \"id:4,phase:2,pass,chain\"\nSecRule TX:large \"@gt {}\"",
        limits::EXPANSION_BYTES,
        most - 20
    );
    assert_eq!(seen(rule, &large, &Request::post(FORM, body)), [4]);
}

#[test]
fn log_texts() {
    let rules = compiled(
        "SecRule ARGS_NAMES|ARGS \"x\" \"id:1,phase:2,pass,msg:'%{MATCHED_VAR}',logdata:'%{MATCHED_VAR}',tag:'%{MATCHED_VAR}'\"",
    );
    for (bytes, shown) in [
        (limits::MATCH_TEXT_BYTES, limits::MATCH_TEXT_BYTES),
        (limits::MATCH_TEXT_BYTES + 1, limits::MATCH_TEXT_BYTES),
    ] {
        let transaction = run(&rules, &Request::post(FORM, format!("{}=x", "x".repeat(bytes))));
        let [name, value] = transaction.matches() else { panic!("two matches") };
        assert_eq!((name.msg.len(), name.logdata.len(), name.tags[0].len()), (shown, shown, shown));
        assert!(value.variable.len() <= limits::MATCH_TEXT_BYTES, "ARGS:xxx…");
        assert!(name.value.len() <= limits::MATCH_VALUE_BYTES);
    }
}

#[test]
fn response_fields() {
    let rules = compiled("SecRule OUTBOUND_DATA_ERROR \"@eq 1\" \"id:1,phase:3,pass\"");
    for (fields, matched) in [(limits::HEADER_FIELDS, vec![]), (limits::HEADER_FIELDS + 1, vec![1])] {
        let mut transaction = run(&rules, &Request::get("/"));
        transaction.response_line(200, "HTTP/1.1");
        (0..fields).for_each(|_| transaction.response_header(b"a", b"b"));
        transaction.end_response_headers();
        transaction.advance(u32::MAX);
        assert_eq!(ids(&transaction), matched, "{fields}");
    }
}

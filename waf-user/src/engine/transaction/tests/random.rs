//! Random rule text, bodies and transactions: nothing panics, verdicts are stated, budgets end.

use proptest::prelude::*;

use super::{Nothing, Request, run, starter, transaction};
use crate::engine::{Progress, RuleFile, RuleSet};

fn compile(text: Vec<u8>) {
    let file = RuleFile { name: "random.conf".to_owned(), text };
    if let Err(errors) = RuleSet::compile(&[file], &Nothing) {
        assert!(!errors.to_string().is_empty());
    }
}

/// Words that rule files are made of, in any order.
fn rule_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("SecRule ARGS|!ARGS:a \"@rx (a)(b)?\" \"id:1,phase:2,deny"),
        Just("SecRule &ARGS:/x/|TX:'a' \"!@pm a b\" \"id:2,chain"),
        Just("SecAction \"id:3,phase:1,setvar:tx.%{ARGS.a}=+%{TX.1},capture"),
        Just("SecMarker END\n"),
        Just("SecDefaultAction \"phase:1,deny,log\"\n"),
        Just("Include x*.conf\n"),
        Just("\"\n"),
        Just("\\\n"),
        Just("'"),
        Just(",skipAfter:END"),
        Just(",t:none,t:lowercase"),
        Just(",msg:'%{RULE.id} %{x"),
        Just(",ctl:ruleRemoveTargetById=1-2;ARGS:/a|b/"),
        Just(" | ! & : /"),
    ];
    proptest::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn rule_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        compile(text);
    }

    #[test]
    fn rule_words_never_panic(text in rule_text()) {
        compile(text.into_bytes());
    }

    #[test]
    fn targets_never_panic(target in proptest::collection::vec(any::<u8>(), 0..200), header in any::<Vec<u8>>()) {
        let mut transaction = transaction(&starter());
        transaction.request_line(b"GET", &target, "HTTP/1.1");
        transaction.request_header(b"Cookie", &header);
        transaction.request_header(&header, &target);
        transaction.end_request_headers();
        prop_assert_eq!(transaction.advance(u32::MAX), Progress::Ready);
    }

    #[test]
    fn bodies_never_panic(
        kind in prop_oneof![
            Just("application/json"), Just("multipart/form-data; boundary=b"), Just("application/x-www-form-urlencoded"),
            Just("text/plain"),
        ],
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "[\\[\\]{}\",:0-9a-z\\\\ue.+-]{0,120}".prop_map(String::into_bytes),
            "(--b(--)?\r\n|Content-Disposition: form-data; name=\"a\"(; filename=\"\\\\)?|\r\n|\r\n\r\n|x){0,20}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let transaction = run(&starter(), &Request::post(kind, body));
        prop_assert!(transaction.matches().len() <= crate::engine::limits::MATCHES_MAX);
    }

    #[test]
    fn any_budget_ends(body in "[a-z=&%27<>/. ]{0,80}", budget in 0_u32..40) {
        let mut transaction = transaction(&starter());
        transaction.request_line(b"POST", b"/?a=1", "HTTP/1.1");
        transaction.request_header(b"Content-Type", b"application/x-www-form-urlencoded");
        transaction.end_request_headers();
        transaction.request_body(body.as_bytes());
        transaction.end_request_body();
        transaction.end();
        let mut turns = 0;
        while transaction.advance(budget) == Progress::Pending {
            turns += 1;
            prop_assert!(turns < 10_000);
        }
        prop_assert_eq!(transaction.advance(budget), Progress::Ready);
    }
}

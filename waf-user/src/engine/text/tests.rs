//! Tables of the lexer and parser, and the look of a mistake.

use std::sync::Arc;

use super::statement::TargetSign;
use super::{Mistake, Source, Statement, lexer, parser, render};

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { name: "a.conf".to_owned(), text: text.as_bytes().to_vec() })
}

fn words(text: &str) -> Vec<Vec<String>> {
    let mut mistakes = Vec::new();
    let lines = lexer::lines(&source(text), &mut mistakes);
    assert!(mistakes.is_empty(), "{text:?}: {}", render(&mistakes));
    lines.iter().map(|line| line.iter().map(super::Word::lossy).collect()).collect()
}

#[test]
fn lines_and_words() {
    let rows: &[(&str, &str, &[&[&str]])] = &[
        ("bare", "A b c", &[&["A", "b", "c"]]),
        ("quoted", "A \"b c\" 'd e'", &[&["A", "b c", "d e"]]),
        ("empty word", "A \"\"", &[&["A", ""]]),
        ("comment", "# A\n  # B\nC", &[&["C"]]),
        ("hash inside", "A b#c", &[&["A", "b#c"]]),
        ("continued", "A \\\n  b", &[&["A", "b"]]),
        ("continued in quotes", "A \"b,\\\n  c\"", &[&["A", "b,  c"]]),
        ("continued comment", "# A \\\nB\nC", &[&["C"]]),
        ("carriage returns", "A b\\\r\nc\r\nD\r\n", &[&["A", "bc"], &["D"]]),
        ("guarded quote", r#"A "b \" c""#, &[&["A", "b \" c"]]),
        ("guarded backslash", r#"A "b\\c" \d"#, &[&["A", r"b\c", r"\d"]]),
        ("other quote inside", r#"A "b 'c'""#, &[&["A", "b 'c'"]]),
        ("nothing", "\n \n", &[]),
    ];
    for (name, text, expected) in rows {
        assert_eq!(words(text), *expected, "{name}");
    }
}

#[test]
fn bytes_know_their_place() {
    let mut mistakes = Vec::new();
    let lines = lexer::lines(&source("A \\\n \"x\\\"yz\""), &mut mistakes);
    let word = lines.first().and_then(|line| line.get(1)).expect("the second word");
    assert_eq!(word.lossy(), "x\"yz");
    assert_eq!(word.place(2, 1).line_column(), (2, 6));
}

fn parsed(text: &str) -> (Option<Statement>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let line = lexer::lines(&source(text), &mut mistakes).into_iter().next().expect("a line");
    (parser::statement(line, &mut mistakes), mistakes)
}

#[test]
fn targets() {
    use TargetSign::{Count, Exclude, Value};
    type Target<'a> = (TargetSign, &'a str, Option<&'a str>);
    let rows: &[(&str, &[Target<'_>])] = &[
        ("ARGS", &[(Value, "ARGS", None)]),
        (
            "ARGS|&TX:a|!ARGS:b",
            &[(Value, "ARGS", None), (Count, "TX", Some("a")), (Exclude, "ARGS", Some("b"))],
        ),
        ("ARGS:/a|b/|ARGS", &[(Value, "ARGS", Some("/a|b/")), (Value, "ARGS", None)]),
        ("ARGS:'/a|b\\/c/'|TX:x", &[(Value, "ARGS", Some("/a|b\\/c/")), (Value, "TX", Some("x"))]),
        ("TX:/^a:b/", &[(Value, "TX", Some("/^a:b/"))]),
        ("XML:/*|ARGS", &[(Value, "XML", Some("/*")), (Value, "ARGS", None)]),
        ("ARGS,TX:a", &[(Value, "ARGS", None), (Value, "TX", Some("a"))]),
    ];
    for (text, expected) in rows {
        let (statement, mistakes) = parsed(&format!("SecRule \"{text}\" \"@rx x\""));
        assert!(mistakes.is_empty(), "{text}");
        let Some(Statement::Rule(rule)) = statement else { panic!("{text} is a rule") };
        let found: Vec<_> = rule
            .targets
            .iter()
            .map(|target| {
                (target.sign, target.name.lossy(), target.selector.as_ref().map(super::Word::lossy))
            })
            .collect();
        let found: Vec<_> =
            found.iter().map(|(sign, name, selector)| (*sign, name.as_str(), selector.as_deref())).collect();
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn operators_and_actions() {
    let rows: &[(&str, bool, &str, &str)] = &[
        ("@rx a b", false, "rx", "a b"),
        ("a b", false, "rx", "a b"),
        ("!@pm  x y ", true, "pm", "x y "),
        ("!x", true, "rx", "x"),
        ("@unconditionalMatch", false, "unconditionalMatch", ""),
    ];
    for (text, negated, name, argument) in rows {
        let (statement, _) =
            parsed(&format!("SecRule ARGS \"{text}\" \"id:1, msg:'a, \\'b\\'', t:none ,chain\""));
        let Some(Statement::Rule(rule)) = statement else { panic!("{text} is a rule") };
        assert_eq!(rule.operator.negated, *negated, "{text}");
        assert_eq!(
            (rule.operator.name.lossy(), rule.operator.argument.lossy()),
            ((*name).to_owned(), (*argument).to_owned(),)
        );
        let actions: Vec<_> = rule
            .actions
            .iter()
            .map(|action| {
                format!(
                    "{}={}",
                    action.name.lossy(),
                    action.value.as_ref().map_or("-".to_owned(), super::Word::lossy)
                )
            })
            .collect();
        assert_eq!(actions, ["id=1", "msg=a, 'b'", "t=none", "chain=-"]);
    }
}

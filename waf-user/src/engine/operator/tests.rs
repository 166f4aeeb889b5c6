//! Tables of operators, and the public SecLang cases where the shared data is there.

use std::io;
use std::path::PathBuf;

use super::Operator;
use crate::engine::values::Values;

/// One case of the shared data, escapes undone.
pub(in crate::engine) struct Case {
    pub name: String,
    pub param: String,
    pub input: Vec<u8>,
    pub output: Vec<u8>,
    pub ret: bool,
}

fn shared_folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("WAF_SHARED").map_or_else(beside, PathBuf::from).join("seclang-cases");
    folder.is_dir().then_some(folder)
}

/// Every case of a kind; None, and a printed line, where the shared data is absent.
pub(in crate::engine) fn shared_cases(kind: &str) -> Option<Vec<Case>> {
    let Some(folder) = shared_folder() else {
        println!("skipped: no shared data");
        return None;
    };
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder.join(kind)).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read(&path).expect("a file of cases");
        let values: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("cases are JSON");
        let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        cases.extend(values.iter().map(|value| Case {
            name: text(value, "name"),
            param: text(value, "param"),
            input: unescaped(&match text(value, "name").as_str() {
                // The one file whose NUL is spelt as Perl does.
                "containsWord" => text(value, "input").replace("\\0", "\\x00"),
                _ => text(value, "input"),
            }),
            output: unescaped(&text(value, "output")),
            ret: value["ret"].as_i64() == Some(1),
        }));
    }
    Some(cases)
}

/// The data spells single bytes as `\x00` and `\u0000` inside its strings.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut output = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (digits, length) = match bytes.get(at..at + 2) {
            Some(b"\\x") => (text.get(at + 2..at + 4), 4),
            Some(b"\\u") => (text.get(at + 2..at + 6).filter(|digits| digits.starts_with("00")), 6),
            _ => (None, 1),
        };
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_alphanumeric()));
        // As C's strtol reads them: up to the first that is no digit, none is 0.
        let number = |digits: &str| {
            let hex = digits.bytes().map_while(|digit| char::from(digit).to_digit(16));
            u8::try_from(hex.fold(0, |sum, digit| sum << 4 | digit)).ok()
        };
        match digits.and_then(number) {
            Some(byte) => {
                output.push(byte);
                at += length;
            }
            None => {
                output.push(bytes[at]);
                at += 1;
            }
        }
    }
    output
}

fn no_data(_path: &str) -> io::Result<Vec<u8>> {
    Err(io::Error::from(io::ErrorKind::NotFound))
}

/// What is refused as an argument while the reference engine goes on with a rule that can only misfire.
const REFUSED: &[(&str, &str, &str)] = &[
    ("validateByteRange", "", "no range: every value would match"),
    ("validateByteRange", "xxx", "no range: every value would match"),
];

#[test]
fn shared_operator_cases() {
    let Some(cases) = shared_cases("operators") else { return };
    let folder = shared_folder().expect("it was there for the cases");
    let read = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        std::fs::read(folder.join("operators/op").join(name))
    };
    let values = Values::default();
    let (mut passed, mut refused, mut unsupported, mut failed) = (0, Vec::new(), Vec::new(), Vec::new());
    for case in cases {
        let show = format!("@{} {:?} on {:?}", case.name, case.param, String::from_utf8_lossy(&case.input));
        match Operator::parse(&case.name, case.param.as_bytes(), &read) {
            None if !unsupported.contains(&case.name) => unsupported.push(case.name),
            None => {}
            Some(Err(error)) => {
                let known = REFUSED.iter().any(|(name, param, _)| *name == case.name && *param == case.param);
                match !known && case.ret {
                    true => failed.push(format!("{show}: {error}")),
                    false => refused.push(format!("{show}: {error}")),
                }
            }
            Some(Ok(operator)) if operator.matches(&case.input, &values).is_some() != case.ret => {
                failed.push(format!("{show}: not {}", case.ret));
            }
            Some(Ok(_)) => passed += 1,
        }
    }
    println!("{passed} passed, {} refused as arguments, not supported: {unsupported:?}", refused.len());
    for line in refused {
        println!("refused: {line}");
    }
    assert!(unsupported.is_empty(), "say why: {unsupported:?}");
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn tables() {
    let rows: &[(&str, &[u8], &[u8], bool)] = &[
        ("rx", b"a.b", b"xa\nby", true),
        ("rx", b"ab$", b"ab\n", false),
        ("rx", b"AB", b"ab", false),
        ("rx", b"(?i)AB", b"ab", true),
        ("rx", b"^\xe3\x81\x82$", "あ".as_bytes(), true),
        ("pm", b"foo |62 61|r", b"xxBAxx", false),
        ("pm", b"foo |62|ar", b"xxBARxx", true),
        ("ipMatch", b"10.0.0.0/8,2001:db8::1", b"10.1.2.3", true),
        ("ipMatch", b"10.0.0.0/8,2001:db8::1", b"2001:db8::2", false),
        ("ipMatch", b"10.0.0.0/8", b"no address", false),
        ("validateByteRange", b"1-255", b"a\0b", true),
        ("validateByteRange", b"32, 97-99", b"abc abc", false),
        ("gt", b"9", b"10", true),
        ("lt", b"-1", b"-2", true),
        ("ge", b"99999999999999999999", b"9223372036854775807", true),
        ("within", b"GET POST", b"ET", true),
    ];
    let values = Values::default();
    for (name, argument, value, expected) in rows {
        let operator = Operator::parse(name, argument, &no_data).expect("a row names an operator");
        let matched = operator.expect("a row has a good argument").matches(value, &values).is_some();
        assert_eq!(matched, *expected, "@{name} {}", String::from_utf8_lossy(argument));
    }
}

#[test]
fn arguments_that_are_none() {
    let rows: &[(&str, &[u8])] = &[
        ("rx", b"("),
        ("pm", b"  "),
        ("pm", b"|zz|"),
        ("ipMatch", b"10.0.0.0/33"),
        ("ipMatch", b""),
        ("validateByteRange", b"1-256"),
        ("validateByteRange", b"9-1"),
        ("pmFromFile", b"missing.data"),
        ("streq", b"%{nothing.at_all}"),
    ];
    for (name, argument) in rows {
        let operator = Operator::parse(name, argument, &no_data).expect("a row names an operator");
        assert!(operator.is_err(), "@{name} {}", String::from_utf8_lossy(argument));
    }
}

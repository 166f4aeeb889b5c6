//! Tables of transformations, and the public SecLang cases where the shared data is there.

use proptest::prelude::*;

use super::{OUTPUT_BYTES, Transformation};
use crate::engine::operator::tests::shared_cases;

#[test]
fn tables() {
    let rows: &[(&str, &[u8], &[u8])] = &[
        ("base64Decode", b"PHNjcmlwdD4", b"<script>"),
        ("base64Decode", b"", b""),
        ("cmdLine", b"c^at \"/etc\", x", b"cat/etc x"),
        ("compressWhitespace", b"a \t\xa0b", b"a b"),
        ("cssDecode", b"\\69 mg", b"img"),
        ("htmlEntityDecode", b"&lt;&#115cript&#x3e;", b"<script>"),
        ("htmlEntityDecode", b"&", b"&"),
        ("jsDecode", b"\\u003cscript\\x3e", b"<script>"),
        ("jsDecode", b"\\477", b"'7"),
        ("normalizePath", b"/a/b/../../../etc//passwd", b"/etc/passwd"),
        ("normalizePathWin", b"..\\..\\x", b"../../x"),
        ("removeCommentsChar", b"un/**/ion--#", b"union"),
        ("replaceComments", b"a/*x*/b/*", b"a b "),
        ("trim", b" \x0b a b\n", b"a b"),
        ("uppercase", b"aZ\xe3", b"AZ\xe3"),
        ("urlDecodeUni", b"%uff1cscript%3E+%u00", b"<script> %u00"),
        ("utf8toUnicode", "a日".as_bytes(), b"a%u65e5"),
        ("length", b"abc", b"3"),
    ];
    for (name, input, expected) in rows {
        let transformation = Transformation::named(name).expect("a row names a transformation");
        let output = transformation.apply(input);
        assert_eq!(&*output, *expected, "{name} of {:?}", String::from_utf8_lossy(input));
    }
}

/// Cases whose expectation is not what we do (name, start of the input), and why.
const DIFFERENT: &[(&str, &str, &str)] =
    &[("cssDecode", "test\\a\\b\\f\\n", "the data holds a NUL where its output was made for the digit 0")];

#[test]
fn shared_transformation_cases() {
    let Some(cases) = shared_cases("transformations") else { return };
    let (mut passed, mut different, mut unsupported, mut failed) = (0, Vec::new(), Vec::new(), Vec::new());
    for case in cases {
        let name = case.name.replace('_', "");
        let Some(transformation) = Transformation::named(&name) else {
            if !unsupported.contains(&name) {
                unsupported.push(name);
            }
            continue;
        };
        let output = transformation.apply(&case.input);
        let known = |row: &&(&str, &str, &str)| row.0 == name && case.input.starts_with(row.1.as_bytes());
        if let Some((_, _, reason)) = DIFFERENT.iter().find(known) {
            different.push(format!("{name} of {:?}: {reason}", case.input.escape_ascii().to_string()));
            continue;
        }
        match *output == *case.output {
            true => passed += 1,
            false => failed.push(format!(
                "{name}: {:?} gave {:?}, not {:?}",
                case.input.escape_ascii().to_string(),
                output.escape_ascii().to_string(),
                case.output.escape_ascii().to_string()
            )),
        }
    }
    println!("{passed} passed, {} different, not supported: {unsupported:?}", different.len());
    for line in different {
        println!("different: {line}");
    }
    assert!(unsupported.is_empty(), "say why: {unsupported:?}");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

proptest! {
    #[test]
    fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..300), index in 0..Transformation::ALL.len()) {
        let transformation = Transformation::ALL[index];
        let output = transformation.apply(&input);
        prop_assert!(output.len() <= input.len() * transformation.growth() + OUTPUT_BYTES);
    }

    #[test]
    fn no_escape_text_panics(input in "[%&#xXuU\\\\0-9a-f;/.* +'\"<-]{0,60}") {
        for transformation in Transformation::ALL {
            transformation.apply(input.as_bytes());
        }
    }
}

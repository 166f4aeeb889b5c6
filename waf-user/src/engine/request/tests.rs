//! Tables of targets and cookies.

use super::{read_cookies, read_target};
use crate::engine::limits;
use crate::engine::options::Options;
use crate::engine::values::{Pairs, Values};

fn shown(pairs: &Pairs) -> String {
    let one = |(name, value): &(Vec<u8>, Vec<u8>)| {
        format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
    };
    pairs.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn targets() {
    // (target, URI, file name, query, arguments)
    let rows = [
        ("/", "/", "/", "", ""),
        ("/a%20b+c?x=%41+b&&y&=z", "/a%20b+c?x=%41+b&&y&=z", "/a b+c", "x=%41+b&&y&=z", "x=A b y= =z"),
        ("http://h:80/p?q=1", "/p?q=1", "/p", "q=1", "q=1"),
        ("HTTPS://h", "/", "/", "", ""),
        ("https://h?q", "?q", "", "q", "q="),
        ("*", "*", "*", "", ""),
        ("/a?b=c?d=e", "/a?b=c?d=e", "/a", "b=c?d=e", "b=c?d=e"),
        ("/%zz%4", "/%zz%4", "/%zz%4", "", ""),
        ("", "", "", "", ""),
    ];
    for (target, uri, filename, query, arguments) in rows {
        let mut values = Values::default();
        read_target(&mut values, target.as_bytes(), &Options::default());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found = (
            text(&values.uri),
            text(&values.filename),
            text(values.query.as_deref().unwrap_or_default()),
            shown(&values.args_get),
        );
        let expected = (uri.to_owned(), filename.to_owned(), query.to_owned(), arguments.to_owned());
        assert_eq!(found, expected, "{target}");
    }
}

#[test]
fn cookies() {
    let rows = [("a=1; b=2", "a=1 b=2"), ("a;;b=c=d; ", "a= b=c=d"), ("", ""), ("a=%27+", "a=%27+")];
    for (header, expected) in rows {
        let mut values = Values::default();
        read_cookies(&mut values, header.as_bytes());
        assert_eq!(shown(&values.cookies), expected, "{header}");
    }
}

#[test]
fn cookies_on_both_sides_of_the_limit() {
    for (count, refused) in [(limits::COOKIES, false), (limits::COOKIES + 1, true)] {
        let mut values = Values::default();
        read_cookies(&mut values, "a=1;".repeat(count).as_bytes());
        assert_eq!((values.cookies.len(), values.body_error.is_some()), (limits::COOKIES, refused));
    }
}

//! Takes secrets out of what is logged: cookies, authorization, parameters that are named like secrets. Passwords inside
//! JSON or multipart bodies are not seen here; their rule matches name the parameter where the engine parsed it.

use std::borrow::Cow;

/// Parameters whose values are nobody's business, lower case.
const SECRET_PARAMETERS: [&str; 4] = ["password", "passwd", "token", "secret"];

/// Request and response headers with credentials, lower case.
const SECRET_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// Headers that hold a target, lower case.
const TARGET_HEADERS: [&str; 3] = ["referer", "location", "content-location"];

/// Variables whose members are request parameters.
const PARAMETER_COLLECTIONS: [&str; 3] = ["ARGS", "ARGS_GET", "ARGS_POST"];

/// Variables that hold a whole target, query or form body.
const PARAMETER_TEXTS: [&str; 6] =
    ["REQUEST_URI", "REQUEST_URI_RAW", "QUERY_STRING", "REQUEST_LINE", "REQUEST_BODY", "FULL_REQUEST"];

/// A request target with the values of secret parameters replaced.
pub fn target(target: &str) -> Cow<'_, str> {
    if target.contains(['?', ';']) { pairs(target) } else { Cow::Borrowed(target) }
}

/// What a rule saw in a variable (its value, or log data that quotes it), fit to be logged.
pub fn value<'a>(variable: &str, text: &'a str) -> Cow<'a, str> {
    let (collection, member) = variable.split_once(':').unwrap_or((variable, ""));
    let collection = collection.to_ascii_uppercase();
    let member = member.to_ascii_lowercase();
    let headers = matches!(collection.as_str(), "REQUEST_HEADERS" | "RESPONSE_HEADERS");
    let secret = collection.starts_with("REQUEST_COOKIES")
        || (headers && SECRET_HEADERS.contains(&member.as_str()))
        || (PARAMETER_COLLECTIONS.contains(&collection.as_str()) && is_secret(&member));
    if secret && !text.is_empty() {
        return Cow::Owned(placeholder(text.len()));
    }
    let holds_target = headers && TARGET_HEADERS.contains(&member.as_str());
    if holds_target || PARAMETER_TEXTS.contains(&collection.as_str()) {
        pairs(text)
    } else {
        Cow::Borrowed(text)
    }
}

/// Replaces the values of secret parameters in `…?a=1&token=x;b=2`.
fn pairs(text: &str) -> Cow<'_, str> {
    const ENDS: [char; 6] = ['?', '&', ';', '#', ' ', '\n'];
    let mut out = String::new();
    let mut changed = false;
    for piece in text.split_inclusive(ENDS) {
        let (pair, end) = match piece.char_indices().next_back() {
            Some((at, last)) if ENDS.contains(&last) => piece.split_at(at),
            _ => (piece, ""),
        };
        match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() && is_secret(&decoded(name)) => {
                changed = true;
                out.push_str(name);
                out.push('=');
                out.push_str(&placeholder(value.len()));
            }
            _ => out.push_str(pair),
        }
        out.push_str(end);
    }
    if changed { Cow::Owned(out) } else { Cow::Borrowed(text) }
}

/// `name`: decoded, lower case. Also `user[password]` and `json.password`: the last word counts.
fn is_secret(name: &str) -> bool {
    let last = name.trim_end_matches(']').rsplit(['[', '.']).next().unwrap_or(name);
    SECRET_PARAMETERS.contains(&last)
}

/// Percent-decoded and lower case: `pass%57ord` is a password too. Bytes outside ASCII fit no name of ours.
fn decoded(name: &str) -> String {
    let mut bytes = name.bytes();
    let mut out = String::with_capacity(name.len());
    while let Some(byte) = bytes.next() {
        let mut rest = bytes.clone();
        let escaped = match byte {
            b'%' => rest.next().and_then(hex).zip(rest.next().and_then(hex)),
            _ => None,
        };
        let byte = match escaped {
            Some((high, low)) => {
                bytes = rest;
                high << 4 | low
            }
            None => byte,
        };
        out.push(char::from(byte).to_ascii_lowercase());
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn placeholder(len: usize) -> String {
    format!("[redacted {len} bytes]")
}

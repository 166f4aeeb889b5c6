//! Request target and Cookie header -> the values that rules name. Reads what HTTP parsing accepted; refuses nothing.

use super::body::urlencoded;
use super::limits;
use super::options::Options;
use super::values::Values;

/// Sets URI, file name, query and query arguments from the target (RFC 9112 §3.2, origin or absolute form).
pub fn read_target(values: &mut Values, target: &[u8], options: &Options) {
    values.target = target.to_vec();
    values.uri = origin_form(target).to_vec();
    let query = values.uri.iter().position(|byte| *byte == b'?');
    let path = values.uri.get(..query.unwrap_or(values.uri.len())).unwrap_or_default();
    values.filename = percent_decoded(path);
    values.query = query.and_then(|query| values.uri.get(query + 1..)).map(<[u8]>::to_vec);
    let query = values.query.as_deref().unwrap_or_default();
    values.urlencoded_error = !urlencoded::is_well_formed(query);

    let mut full = false;
    let args = &mut values.args_get;
    urlencoded::each(query, options.argument_separator, &mut |name, value| {
        full = args.len() >= options.arguments_limit;
        if !full {
            args.push((name, value));
        }
        !full
    });
    if full {
        values.refuse_body("more arguments in the query than the limit");
    }
}

/// `a=1; b=2` of a Cookie header (RFC 6265 §4.2); values as they stand.
pub fn read_cookies(values: &mut Values, header: &[u8]) {
    for part in header.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty()) {
        if values.cookies.len() >= limits::COOKIES {
            values.refuse_body("more cookies than the limit");
            return;
        }
        let equals = part.iter().position(|byte| *byte == b'=');
        let name = part.get(..equals.unwrap_or(part.len())).unwrap_or_default();
        let value = equals.and_then(|equals| part.get(equals + 1..)).unwrap_or_default();
        values.cookies.push((name.to_vec(), value.to_vec()));
    }
}

/// `http://host/path?query` -> `/path?query`.
fn origin_form(target: &[u8]) -> &[u8] {
    let scheme = [b"http://".as_slice(), b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let Some(scheme) = scheme else { return target };
    let rest = target.get(scheme.len()..).unwrap_or_default();
    match rest.iter().position(|byte| matches!(byte, b'/' | b'?')) {
        Some(path) => rest.get(path..).unwrap_or_default(),
        None => b"/",
    }
}

/// Percent-encoding undone once; `+` is a plus in a path.
fn percent_decoded(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(byte) = path.get(at) {
        let digits = path.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let value =
            digits.filter(|digits| *byte == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match value.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests;

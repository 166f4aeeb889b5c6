//! Parameters of Content-Type and Content-Disposition, read as the reference engine reads them: what is odd but readable
//! is flagged, what is not is an error.

use super::Flags;

/// The names of a part.
#[derive(Debug, Default)]
pub struct Disposition {
    pub name: Option<Vec<u8>>,
    pub file_name: Option<Vec<u8>>,
}

/// `form-data; name="a"; filename="b"`. None: it cannot be read.
pub fn disposition(text: &[u8], flags: &mut Flags) -> Option<Disposition> {
    let text = text.trim_ascii();
    // Case counts, as in the reference engine: no honest client writes it otherwise.
    let rest = text.strip_prefix(b"form-data")?;
    let rest = rest.trim_ascii_start();
    let mut found = Disposition::default();
    if rest.is_empty() {
        return Some(found);
    }
    for (name, value) in parameters(rest.strip_prefix(b";")?, flags)? {
        let slot = match name.as_slice() {
            b"name" => &mut found.name,
            b"filename" => &mut found.file_name,
            _ => return None,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    Some(found)
}

/// The parameters of a text; None where the grammar is left. Inside quotes only `\"` and `\\` are
/// escapes: browsers send Windows paths as they are.
pub fn parameters(text: &[u8], flags: &mut Flags) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut parameters = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let mut is_quoted = false;
        let length =
            rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && !b"=;\"".contains(byte)).count();
        let name = rest.get(..length)?.to_vec();
        rest = rest.get(length..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let value = match rest.first()? {
            quote @ (b'"' | b'\'') => {
                flags.invalid_quoting |= *quote == b'\'';
                is_quoted = true;
                let (value, after) = quoted(rest.get(1..)?, *quote)?;
                rest = after;
                value
            }
            _ => {
                let length =
                    rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != b';').count();
                let value = rest.get(..length)?.to_vec();
                if value.contains(&b'"') {
                    return None;
                }
                rest = rest.get(length..)?;
                value
            }
        };
        if name.is_empty() {
            return None;
        }
        parameters.push((name, value));
        let glued = rest.first().is_some_and(|byte| !byte.is_ascii_whitespace() && *byte != b';');
        flags.invalid_quoting |= is_quoted && glued;
        rest = rest.trim_ascii_start();
        match rest.strip_prefix(b";") {
            Some(after) => rest = after.trim_ascii_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(parameters)
}

fn quoted(text: &[u8], quote: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut at = 0;
    loop {
        match (text.get(at)?, text.get(at + 1)) {
            (b'\\', Some(escaped)) if *escaped == quote || *escaped == b'\\' => {
                value.push(*escaped);
                at += 1;
            }
            (byte, _) if *byte == quote => return Some((value, text.get(at + 1..)?)),
            (byte, _) => value.push(*byte),
        }
        at += 1;
    }
}

//! The tree of values of a sheet -> its fields, each a type of its own. Knows every field, default and bound.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::document::Document;
use super::mistake::{Mistakes, quote, quote_text};
use super::{Options, Residency, Sheet, SheetErrors, Submission, Tls, Upload};
use crate::config::OriginUrl;
use crate::control::capacity::{Rates, Thousands};
use crate::model::{Fqdn, Mode, Wall};

/// A chain of ten certificates with RSA keys of 8192 bits, its key, and room for comments.
const SHEET_BYTES_MAX: usize = 256 * 1024;
/// As many servers as one site's connection pools are kept for.
const ORIGINS_MAX: usize = 16;
/// Bytes of one origin: scheme, a name of 253, a port.
const ORIGIN_BYTES_MAX: usize = 270;
/// Bytes of a name before it becomes A-labels: four a character of a name of 253.
const NAME_BYTES_MAX: usize = 1024;
/// Ten million: above the busiest sites there are; a slip of the finger, not a peak.
const REQUESTS_S_MAX: u64 = 10_000_000;
/// One terabit.
const MBIT_S_MAX: u64 = 1_000_000;
const HANDSHAKES_S_MAX: u64 = 1_000_000;
const PARANOIA_MAX: u64 = 4;
/// Characters of an unknown field's name that a message repeats.
const FIELD_LEN_MAX: usize = 64;

const ORIGINS_CURE: &str = "write for example origins = [\"https://192.0.2.20\"]";
const TLS_CURE: &str = "write tls = \"none\", or a table [tls] with chain and key";

/// The syntax of a sheet's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Toml,
    Json,
}

/// Reads a sheet. `now` is what a certificate's dates are held against.
///
/// # Errors
/// Everything that is wrong in it; where the text itself cannot be read, that alone.
pub fn parse(text: &str, format: Format, now: Wall) -> Result<Submission, SheetErrors> {
    let mut mistakes = Mistakes::default();
    let submission = match tree(text, format) {
        Ok(Document::Table(fields)) => read(&fields, now, &mut mistakes),
        Ok(other) => {
            mistakes.add("the sheet", quote(&other), "is no table of fields", "write fqdn, origins and peak");
            None
        }
        Err(what) => {
            let cure = "mend the text; every quote, bracket and key counts";
            mistakes.add("the sheet", "(the text)", what, cure);
            None
        }
    };
    mistakes.into_result(submission)
}

fn tree(text: &str, format: Format) -> Result<Document, String> {
    if text.len() > SHEET_BYTES_MAX {
        return Err(format!("has {} bytes, {SHEET_BYTES_MAX} are the most", text.len()));
    }
    match format {
        Format::Json => serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}")),
        Format::Toml => toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            format!("is no TOML: line {line}: {}", error.message())
        }),
    }
}

fn read(fields: &BTreeMap<String, Document>, now: Wall, mistakes: &mut Mistakes) -> Option<Submission> {
    let known = ["fqdn", "tls", "origins", "peak", "residency", "options"];
    refuse_unknown(fields, "", &known, mistakes);
    let fqdn = read_fqdn(fields.get("fqdn"), mistakes);
    let tls = read_tls(fields.get("tls"), fqdn.as_ref(), now, mistakes);
    let origins = read_origins(fields.get("origins"), mistakes);
    let peak = read_peak(fields.get("peak"), tls.as_ref().map(Option::is_some), mistakes);
    let residency = read_residency(fields.get("residency"), mistakes);
    let options = read_options(fields.get("options"), mistakes);
    let upload = tls?;
    let tls = upload.as_ref().map_or(Tls::None, |upload| Tls::Upload(upload.certificate));
    let sheet = Sheet { fqdn: fqdn?, tls, origins, peak: peak?, residency: residency?, options };
    Some(Submission { sheet, upload })
}

/// U-labels become A-labels (UTS 46, the rules of registries: no symbols, no spaces). None: it is too long or no such name.
pub fn to_a_labels(text: &str) -> Option<String> {
    match text.is_ascii() {
        true => Some(text.to_owned()),
        false if text.len() > NAME_BYTES_MAX => None,
        false => idna::domain_to_ascii_strict(text).ok(),
    }
}

fn read_fqdn(value: Option<&Document>, mistakes: &mut Mistakes) -> Option<Fqdn> {
    let cure = "write the site's full name, such as \"www.example.jp\"";
    let text = read_text(value, "fqdn", cure, mistakes)?;
    if text.len() > NAME_BYTES_MAX {
        mistakes.add("fqdn", quote_text(text), "is too long for a name", cure);
        return None;
    }
    let Some(labels) = to_a_labels(text) else {
        mistakes.add("fqdn", quote_text(text), "is no internationalised name (UTS 46)", cure);
        return None;
    };
    let name = match Fqdn::new(&labels) {
        Ok(name) => name,
        Err(error) => {
            mistakes.add("fqdn", quote_text(text), format_args!("is no name: {error}"), cure);
            return None;
        }
    };
    // A punycode label that stands for nothing would never be looked up by anybody.
    if name.as_str().split('.').any(|label| label.starts_with("xn--"))
        && idna::domain_to_unicode(name.as_str()).1.is_err()
    {
        mistakes.add("fqdn", quote_text(text), "holds a label xn--… that stands for no name", cure);
        return None;
    }
    if !name.as_str().contains('.') {
        mistakes.add("fqdn", quote_text(text), "is not fully qualified", cure);
        return None;
    }
    Some(name)
}

/// None where something was wrong; `Some(None)` is no TLS.
fn read_tls(
    value: Option<&Document>,
    fqdn: Option<&Fqdn>,
    now: Wall,
    mistakes: &mut Mistakes,
) -> Option<Option<Upload>> {
    match value {
        None => Some(None),
        Some(Document::Text(word)) if word == "none" => Some(None),
        Some(Document::Text(word)) if word == "acme" => {
            let cure = "upload a certificate: a table [tls] with chain and key";
            mistakes.add("tls", "\"acme\"", "is not yet served", cure);
            None
        }
        Some(Document::Table(fields)) => {
            refuse_unknown(fields, "tls.", &["chain", "key"], mistakes);
            let mut pem = |key, field| match fields.get(key) {
                Some(Document::Text(text)) => Some(text.as_str()),
                // The value is not repeated: it may be a key at the wrong place.
                Some(_) => {
                    mistakes.add(field, "(a value)", "is no text", "write it as PEM");
                    None
                }
                None => {
                    mistakes.missing(field, "give chain and key, both as PEM");
                    None
                }
            };
            let (chain, key) = (pem("chain", "tls.chain"), pem("key", "tls.key"));
            let upload = Upload::new(chain?, key?, fqdn, now);
            upload.map(Some).map_err(|refused| add_refused(&refused, mistakes)).ok()
        }
        Some(other) => {
            mistakes.add("tls", quote(other), "says neither none nor which certificate", TLS_CURE);
            None
        }
    }
}

fn add_refused(refused: &[super::upload::Refused], mistakes: &mut Mistakes) {
    for refused in refused {
        mistakes.add(refused.field, "(the PEM text)", &refused.what, refused.cure);
    }
}

fn read_origins(value: Option<&Document>, mistakes: &mut Mistakes) -> Vec<OriginUrl> {
    let items = match value {
        Some(Document::List(items)) => items.as_slice(),
        Some(other) => {
            mistakes.add("origins", quote(other), "is no list", ORIGINS_CURE);
            return Vec::new();
        }
        None => &[],
    };
    if items.is_empty() {
        mistakes.missing("origins", ORIGINS_CURE);
    }
    if items.len() > ORIGINS_MAX {
        let what = format!("is more than {ORIGINS_MAX} servers");
        mistakes.add("origins", format!("(a list of {})", items.len()), what, "put a balancer before them");
        return Vec::new();
    }
    let mut origins = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let field = format!("origins[{at}]");
        let Some(text) = read_text(Some(item), &field, ORIGINS_CURE, mistakes) else { continue };
        if text.len() > ORIGIN_BYTES_MAX {
            mistakes.add(&field, quote_text(text), "is too long", ORIGINS_CURE);
            continue;
        }
        match OriginUrl::parse(text) {
            Ok(origin) if origins.contains(&origin) => {
                mistakes.add(&field, quote_text(text), "is written twice", "take one out");
            }
            Ok(origin) => origins.push(origin),
            Err(error) => {
                mistakes.add(&field, quote_text(text), format_args!("is no origin: {error}"), ORIGINS_CURE);
            }
        }
    }
    origins
}

/// `tls`: whether there is TLS; None where that is not known.
fn read_peak(value: Option<&Document>, tls: Option<bool>, mistakes: &mut Mistakes) -> Option<Rates> {
    let cure = "add a table [peak] with requests_s and mbit_s, and handshakes_s where there is TLS";
    let fields = read_table(value, "peak", mistakes)?;
    let Some(fields) = fields else {
        mistakes.missing("peak", cure);
        return None;
    };
    refuse_unknown(fields, "peak.", &["requests_s", "mbit_s", "handshakes_s"], mistakes);
    let mut required = |key: &str, max| {
        let field = format!("peak.{key}");
        match fields.get(key) {
            Some(value) => read_number(value, &field, 1..=max, mistakes),
            None => {
                mistakes.missing(&field, "write that of the busiest second of the year");
                None
            }
        }
    };
    let requests_s = required("requests_s", REQUESTS_S_MAX);
    let mbit_s = required("mbit_s", MBIT_S_MAX);
    let handshakes_s = match tls {
        Some(true) => required("handshakes_s", HANDSHAKES_S_MAX),
        Some(false) => match fields.get("handshakes_s") {
            None | Some(Document::Number(0)) => Some(0),
            Some(value) => {
                let cure = "take it out, or give a certificate";
                mistakes.add("peak.handshakes_s", quote(value), "has no meaning without TLS", cure);
                None
            }
        },
        None => fields
            .get("handshakes_s")
            .map_or(Some(0), |value| read_number(value, "peak.handshakes_s", 0..=HANDSHAKES_S_MAX, mistakes)),
    };
    Some(Rates { requests_s: requests_s?, mbit_s: mbit_s?, handshakes_s: handshakes_s? })
}

fn read_residency(value: Option<&Document>, mistakes: &mut Mistakes) -> Option<Residency> {
    if value.is_none() {
        return Some(Residency::default());
    }
    let cure = "write for example residency = \"jp\"";
    let text = read_text(value, "residency", cure, mistakes)?;
    match Residency::new(text) {
        Ok(residency) => Some(residency),
        Err(error) => {
            mistakes.add("residency", quote_text(text), format_args!("is {error}"), cure);
            None
        }
    }
}

fn read_options(value: Option<&Document>, mistakes: &mut Mistakes) -> Options {
    let mut options = Options::default();
    let Some(Some(fields)) = read_table(value, "options", mistakes) else { return options };
    refuse_unknown(fields, "options.", &["mode", "paranoia"], mistakes);
    if let Some(value) = fields.get("mode") {
        options.mode = match value {
            Document::Text(word) if word == "block" => Mode::Block,
            Document::Text(word) if word == "detect" => Mode::Detect,
            Document::Text(word) if word == "off" => Mode::Off,
            other => {
                let cure = "write one of: block, detect, off";
                mistakes.add("options.mode", quote(other), "is no mode", cure);
                Mode::default()
            }
        };
    }
    options.paranoia = fields
        .get("paranoia")
        .and_then(|value| read_number(value, "options.paranoia", 1..=PARANOIA_MAX, mistakes))
        .and_then(|level| u8::try_from(level).ok());
    options
}

/// None where it is something else; `Some(None)` where it is absent.
#[expect(clippy::option_option, reason = "absent and wrong are different things here")]
fn read_table<'a>(
    value: Option<&'a Document>,
    field: &str,
    mistakes: &mut Mistakes,
) -> Option<Option<&'a BTreeMap<String, Document>>> {
    match value {
        None => Some(None),
        Some(Document::Table(fields)) => Some(Some(fields)),
        Some(other) => {
            mistakes.add(field, quote(other), "is no table", &format!("write a table [{field}]"));
            None
        }
    }
}

fn read_text<'a>(
    value: Option<&'a Document>,
    field: &str,
    cure: &str,
    mistakes: &mut Mistakes,
) -> Option<&'a str> {
    match value {
        Some(Document::Text(text)) => Some(text),
        Some(other) => {
            mistakes.add(field, quote(other), "is no text", cure);
            None
        }
        None => {
            mistakes.missing(field, cure);
            None
        }
    }
}

fn read_number(
    value: &Document,
    field: &str,
    range: RangeInclusive<u64>,
    mistakes: &mut Mistakes,
) -> Option<u64> {
    match value {
        Document::Number(number) if range.contains(number) => Some(*number),
        other => {
            let cure = format!("write a whole number from {} to {}", range.start(), Thousands(*range.end()));
            mistakes.add(field, quote(other), "is out of range", &cure);
            None
        }
    }
}

fn refuse_unknown(
    fields: &BTreeMap<String, Document>,
    prefix: &str,
    known: &[&str],
    mistakes: &mut Mistakes,
) {
    for key in fields.keys().filter(|key| !known.contains(&key.as_str())) {
        let name: String = key.chars().take(FIELD_LEN_MAX).collect();
        let cure = format!("known here: {}", known.join(", "));
        mistakes.add(&format!("{prefix}{}", name.escape_debug()), "(a value)", "is no field", &cure);
    }
}

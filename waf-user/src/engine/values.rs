//! What one transaction knows: bytes of request and response in, values by variable out. Knows no rule and no phase.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::limits;
use super::variable::Variable;

/// Named values in the order of the request; a name may come often.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// One value of a variable.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    pub variable: Variable,
    /// The name inside the collection; None for a scalar.
    pub key: Option<&'a [u8]>,
    pub bytes: Cow<'a, [u8]>,
}

impl Value<'_> {
    /// Such as `ARGS:q`, `REQUEST_URI`.
    pub fn full_name(&self) -> String {
        match self.key {
            Some(key) => format!("{}:{}", self.variable.name(), String::from_utf8_lossy(key)),
            None => self.variable.name().to_owned(),
        }
    }
}

/// The last match, for MATCHED_VAR and its kin.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

/// Everything of one transaction that rules can name. Names in `tx` are lower case.
#[derive(Debug, Default)]
pub struct Values {
    pub remote_addr: String,
    pub remote_port: String,
    pub server_addr: String,
    pub server_port: String,
    pub unique_id: String,
    pub time_epoch: String,

    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub protocol: String,
    pub uri: Vec<u8>,
    pub filename: Vec<u8>,
    pub query: Vec<u8>,
    pub headers: Pairs,
    pub cookies: Pairs,
    pub args_get: Pairs,
    pub args_post: Pairs,
    pub files: Pairs,
    pub files_sizes: Pairs,
    pub part_headers: Pairs,
    pub body: Vec<u8>,
    pub body_shown: bool,
    pub body_length: usize,
    pub body_processor: Vec<u8>,
    pub body_error: Option<String>,
    pub body_cut: bool,
    pub multipart_strict_error: bool,

    pub status: u16,
    pub response_protocol: String,
    pub response_headers: Pairs,
    pub response_body: Vec<u8>,
    pub response_body_length: usize,
    pub response_body_cut: bool,

    pub tx: BTreeMap<Vec<u8>, Vec<u8>>,
    pub rule: Pairs,
    pub matched: Matched,
    /// Of the current rule, by full name.
    pub matched_vars: Pairs,
    pub highest_severity: Option<u8>,
}

impl Values {
    /// Calls `each` with every value of a variable, in the order of the request. O(values of the variable).
    pub fn each<'a>(&'a self, variable: Variable, each: &mut dyn FnMut(Value<'a>)) {
        let mut named = |pairs: &'a Pairs| {
            for (key, value) in pairs {
                each(Value { variable, key: Some(key), bytes: Cow::Borrowed(value) });
            }
        };
        match variable {
            Variable::Args => {
                named(&self.args_get);
                named(&self.args_post);
            }
            Variable::ArgsGet => named(&self.args_get),
            Variable::ArgsPost => named(&self.args_post),
            Variable::Files => named(&self.files),
            Variable::FilesSizes => named(&self.files_sizes),
            Variable::MultipartPartHeaders => named(&self.part_headers),
            Variable::RequestCookies => named(&self.cookies),
            Variable::RequestHeaders => named(&self.headers),
            Variable::ResponseHeaders => named(&self.response_headers),
            Variable::Rule => named(&self.rule),
            Variable::MatchedVars => named(&self.matched_vars),
            Variable::Tx => {
                for (key, value) in &self.tx {
                    each(Value { variable, key: Some(key), bytes: Cow::Borrowed(value) });
                }
            }
            Variable::ArgsNames => {
                names(variable, &self.args_get, each);
                names(variable, &self.args_post, each);
            }
            Variable::ArgsGetNames => names(variable, &self.args_get, each),
            Variable::ArgsPostNames => names(variable, &self.args_post, each),
            Variable::FilesNames => names(variable, &self.files, each),
            Variable::RequestCookiesNames => names(variable, &self.cookies, each),
            Variable::RequestHeadersNames => names(variable, &self.headers, each),
            Variable::ResponseHeadersNames => names(variable, &self.response_headers, each),
            Variable::MatchedVarsNames => names(variable, &self.matched_vars, each),
            scalar => each(Value { variable, key: None, bytes: self.scalar(scalar) }),
        }
    }

    /// The one value of a scalar; empty for a collection.
    pub fn scalar(&self, variable: Variable) -> Cow<'_, [u8]> {
        match variable {
            Variable::ArgsCombinedSize => number(size(&self.args_get) + size(&self.args_post)),
            Variable::FilesCombinedSize => number(self.files_bytes()),
            Variable::HighestSeverity => number(self.highest_severity.unwrap_or(255)),
            Variable::InboundDataError => flag(self.body_cut),
            Variable::OutboundDataError => flag(self.response_body_cut),
            Variable::MatchedVar => Cow::Borrowed(&self.matched.value),
            Variable::MatchedVarName => Cow::Borrowed(&self.matched.name),
            Variable::MultipartStrictError => flag(self.multipart_strict_error),
            Variable::QueryString => Cow::Borrowed(&self.query),
            Variable::RemoteAddr => Cow::Borrowed(self.remote_addr.as_bytes()),
            Variable::RemotePort => Cow::Borrowed(self.remote_port.as_bytes()),
            Variable::ReqbodyError => flag(self.body_error.is_some()),
            Variable::ReqbodyErrorMsg => Cow::Borrowed(self.body_error.as_deref().unwrap_or("").as_bytes()),
            Variable::ReqbodyProcessor => Cow::Borrowed(&self.body_processor),
            Variable::RequestBasename => Cow::Borrowed(self.basename()),
            Variable::RequestBody if self.body_shown => Cow::Borrowed(&self.body),
            Variable::RequestBodyLength => number(self.body_length),
            Variable::RequestFilename => Cow::Borrowed(&self.filename),
            Variable::RequestLine => Cow::Owned(self.request_line()),
            Variable::RequestMethod => Cow::Borrowed(&self.method),
            Variable::RequestProtocol => Cow::Borrowed(self.protocol.as_bytes()),
            Variable::RequestUri => Cow::Borrowed(&self.uri),
            Variable::RequestUriRaw => Cow::Borrowed(&self.target),
            Variable::ResponseBody => Cow::Borrowed(&self.response_body),
            Variable::ResponseContentLength => self.response_content_length(),
            Variable::ResponseContentType => Cow::Borrowed(self.response_content_type()),
            Variable::ResponseProtocol => Cow::Borrowed(self.response_protocol.as_bytes()),
            Variable::ResponseStatus if self.status == 0 => Cow::Borrowed(b""),
            Variable::ResponseStatus => number(self.status),
            Variable::ServerAddr => Cow::Borrowed(self.server_addr.as_bytes()),
            Variable::ServerName => Cow::Borrowed(self.server_name()),
            Variable::ServerPort => Cow::Borrowed(self.server_port.as_bytes()),
            Variable::TimeEpoch => Cow::Borrowed(self.time_epoch.as_bytes()),
            Variable::UniqueId => Cow::Borrowed(self.unique_id.as_bytes()),
            _ => Cow::Borrowed(b""),
        }
    }

    /// The first value of a variable, with a name for a collection; names are compared without case.
    pub fn first(&self, variable: Variable, key: Option<&[u8]>) -> Option<Cow<'_, [u8]>> {
        if let (Variable::Tx, Some(key)) = (variable, key) {
            return self.tx.get(&key.to_ascii_lowercase()).map(|value| Cow::Borrowed(value.as_slice()));
        }
        let mut found = None;
        self.each(variable, &mut |value| {
            let named = match (key, value.key) {
                (Some(wanted), Some(name)) => name.eq_ignore_ascii_case(wanted),
                (None, _) => true,
                (Some(_), None) => false,
            };
            if named && found.is_none() {
                found = Some(value.bytes);
            }
        });
        found
    }

    /// Sets a TX variable; a new name past the limit is ignored.
    pub fn set_tx(&mut self, name: &[u8], value: Vec<u8>) {
        let name = name.to_ascii_lowercase();
        if self.tx.len() < limits::TX_VARIABLES || self.tx.contains_key(&name) {
            self.tx.insert(name, value);
        }
    }

    /// A request header, first of its name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        find(&self.headers, name)
    }

    /// The body could not be parsed, or not wholly; the first reason stays.
    pub fn refuse_body(&mut self, reason: impl Into<String>) {
        self.body_error.get_or_insert_with(|| reason.into());
    }

    /// The response's media type without parameters.
    pub fn response_content_type(&self) -> &[u8] {
        let value = find(&self.response_headers, "content-type").unwrap_or_default();
        let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
        value.get(..end).unwrap_or_default().trim_ascii()
    }

    fn response_content_length(&self) -> Cow<'_, [u8]> {
        match find(&self.response_headers, "content-length") {
            Some(value) => Cow::Borrowed(value),
            None => number(self.response_body_length),
        }
    }

    fn basename(&self) -> &[u8] {
        let from = self.filename.iter().rposition(|byte| matches!(byte, b'/' | b'\\')).map_or(0, |at| at + 1);
        self.filename.get(from..).unwrap_or_default()
    }

    fn server_name(&self) -> &[u8] {
        let host = self.header("host").unwrap_or_default();
        let port = host.iter().rposition(|byte| *byte == b':');
        let port = port.filter(|at| !host.get(*at..).unwrap_or_default().contains(&b']'));
        host.get(..port.unwrap_or(host.len())).unwrap_or_default()
    }

    fn request_line(&self) -> Vec<u8> {
        [&self.method, b" ".as_slice(), &self.target, b" ", self.protocol.as_bytes()].concat()
    }

    fn files_bytes(&self) -> u64 {
        let sizes = self.files_sizes.iter().filter_map(|(_, size)| std::str::from_utf8(size).ok());
        sizes.filter_map(|size| size.parse::<u64>().ok()).sum()
    }
}

fn names<'a>(variable: Variable, pairs: &'a Pairs, each: &mut dyn FnMut(Value<'a>)) {
    for (key, _) in pairs {
        each(Value { variable, key: Some(key), bytes: Cow::Borrowed(key) });
    }
}

fn find<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a [u8]> {
    let mut named = pairs.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
    named.next().map(|(_, value)| value.as_slice())
}

fn size(pairs: &Pairs) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn number<'a>(value: impl fmt::Display) -> Cow<'a, [u8]> {
    Cow::Owned(value.to_string().into_bytes())
}

fn flag<'a>(value: bool) -> Cow<'a, [u8]> {
    Cow::Borrowed(if value { b"1" } else { b"0" })
}

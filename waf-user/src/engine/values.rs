//! What one transaction knows: bytes of request and response in, values by variable out. Knows no rule and no phase.

mod scalar;
mod time;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::body::MultipartFlags;
use super::collection::{OpenRecord, Scope};
use super::limits;
use super::lookups::{GeoPlace, Lookups};
use super::pattern::Patience;
use super::variable::Variable;

/// Named values in the order of the request; a name may come often.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Values by lower-case name, prepared once and shared by transactions.
pub type FixedTx = BTreeMap<Vec<u8>, Vec<u8>>;

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
        match self.key.filter(|_| self.variable != Variable::Xml) {
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
    pub web_app_id: String,
    pub now_unix_ms: u64,
    pub lookups: Option<Arc<dyn Lookups>>,

    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub protocol: String,
    pub uri: Vec<u8>,
    pub filename: Vec<u8>,
    /// From phase 2 on REQUEST_URI shows the decoded path, as behind the reference engine's web server.
    pub path_decoded: bool,
    pub query: Option<Vec<u8>>,
    pub headers: Pairs,
    pub cookies: Pairs,
    pub args_get: Pairs,
    pub args_post: Pairs,
    pub files: Pairs,
    pub files_sizes: Pairs,
    pub files_contents: Pairs,
    pub part_headers: Pairs,
    pub xml: Pairs,
    pub body: Vec<u8>,
    pub body_shown: bool,
    pub body_length: usize,
    pub body_processor: Vec<u8>,
    pub body_error: Option<String>,
    pub body_cut: bool,
    pub urlencoded_error: bool,
    pub multipart: MultipartFlags,

    pub status: u16,
    pub response_protocol: String,
    pub response_headers: Pairs,
    pub response_body: Vec<u8>,
    pub response_body_length: usize,
    pub response_body_cut: bool,

    pub tx: BTreeMap<Vec<u8>, Vec<u8>>,
    /// TX variables that no rule changes: the tenant's own settings.
    pub fixed_tx: Arc<FixedTx>,
    pub records: BTreeMap<Scope, OpenRecord>,
    pub session_id: Option<Vec<u8>>,
    pub user_id: Option<Vec<u8>>,
    pub env: Pairs,
    pub geo: Pairs,
    /// A pattern's steps were spent during the current rule.
    pub pattern_spent: AtomicBool,
    pub patience: Patience,
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
            Variable::FilesTmpContent => named(&self.files_contents),
            Variable::FilesTmpNames => {}
            Variable::Env => named(&self.env),
            Variable::Geo => named(&self.geo),
            Variable::Xml => named(&self.xml),
            Variable::MultipartPartHeaders => named(&self.part_headers),
            Variable::RequestCookies => named(&self.cookies),
            Variable::RequestHeaders => named(&self.headers),
            Variable::ResponseHeaders => named(&self.response_headers),
            Variable::Rule => named(&self.rule),
            Variable::MatchedVars => named(&self.matched_vars),
            Variable::Tx => {
                for (key, value) in self.fixed_tx.iter().chain(&self.tx) {
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
            Variable::Global | Variable::Ip | Variable::Resource | Variable::Session | Variable::User => {
                let record = Scope::of(variable).and_then(|scope| self.records.get(&scope));
                for (key, value) in record.iter().flat_map(|open| &open.record.values) {
                    each(Value { variable, key: Some(key), bytes: Cow::Borrowed(value) });
                }
            }
            scalar => {
                if let Some(bytes) = self.scalar(scalar) {
                    each(Value { variable, key: None, bytes });
                }
            }
        }
    }

    /// As [`Values::each`], for one who wants a single name (in lower case): a TX variable is looked up, others may come
    /// under other names too.
    pub fn each_named<'a>(
        &'a self,
        variable: Variable,
        name: Option<&'a [u8]>,
        each: &mut dyn FnMut(Value<'a>),
    ) {
        match (variable, name) {
            (Variable::Tx, Some(name)) => {
                if let Some(value) = self.tx(name) {
                    each(Value { variable, key: Some(name), bytes: Cow::Borrowed(value) });
                }
            }
            _ => self.each(variable, each),
        }
    }

    /// The first value of a variable, with a name for a collection; names are compared without case.
    pub fn first(&self, variable: Variable, key: Option<&[u8]>) -> Option<Cow<'_, [u8]>> {
        if let (Variable::Tx, Some(key)) = (variable, key) {
            return self.tx(&key.to_ascii_lowercase()).map(Cow::Borrowed);
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

    /// A TX variable by its lower-case name.
    pub fn tx(&self, name: &[u8]) -> Option<&[u8]> {
        self.fixed_tx.get(name).or_else(|| self.tx.get(name)).map(Vec::as_slice)
    }

    /// Sets a TX variable; one that is fixed stays, and ignored are a new name past the limit and a large value where all
    /// together are too large.
    pub fn set_tx(&mut self, name: &[u8], value: Vec<u8>) {
        let name = name.to_ascii_lowercase();
        let bytes = name.len() + value.len();
        let room = (self.tx.len() < limits::TX_VARIABLES || self.tx.contains_key(&name))
            && (bytes <= limits::TX_SMALL_BYTES || self.large_tx(&name) + bytes <= limits::TX_BYTES);
        if room && !self.fixed_tx.contains_key(&name) {
            self.tx.insert(name, value);
        }
    }

    /// Bytes of the large TX variables but one. O(TX variables).
    fn large_tx(&self, but: &[u8]) -> usize {
        let others = self.tx.iter().filter(|(name, _)| *name != but);
        others
            .map(|(name, value)| name.len() + value.len())
            .filter(|bytes| *bytes > limits::TX_SMALL_BYTES)
            .sum()
    }

    /// A request header, first of its name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        find(&self.headers, name)
    }

    /// The body could not be parsed, or not wholly; the first reason stays.
    pub fn refuse_body(&mut self, reason: impl Into<String>) {
        self.body_error.get_or_insert_with(|| reason.into());
    }

    /// What the lookups know of the address in a value.
    pub fn place_of(&self, value: &[u8]) -> Option<GeoPlace> {
        let address: IpAddr = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
        self.lookups.as_ref()?.place(address)
    }

    /// The response's media type without parameters.
    pub fn response_content_type(&self) -> &[u8] {
        let value = find(&self.response_headers, "content-type").unwrap_or_default();
        let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
        value.get(..end).unwrap_or_default().trim_ascii()
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

//! Operators: an argument of a rule and a value of a request -> a hit or none. One file an operator; dispatch is
//! static through one enum. No operator knows the rule it belongs to.

mod begins_with;
mod contains;
mod contains_word;
mod detect_sqli;
mod detect_xss;
mod ends_with;
mod geo_lookup;
mod ip_match;
mod ip_match_from_file;
mod no_match;
pub mod number;
mod pm;
mod pm_from_file;
mod rbl;
mod refused;
mod rx;
mod rx_global;
mod streq;
mod unconditional_match;
mod validate_byte_range;
mod validate_url_encoding;
mod validate_utf8_encoding;
mod verify;
mod within;

use std::io;

use super::injection;
use super::template::{Template, UnknownMacro};
use super::values::Values;

pub use super::pattern::Spans;

pub use begins_with::BeginsWith;
pub use contains::Contains;
pub use contains_word::ContainsWord;
pub use detect_sqli::DetectSqli;
pub use detect_xss::DetectXss;
pub use ends_with::EndsWith;
pub use geo_lookup::GeoLookup;
pub use ip_match::IpMatch;
pub use ip_match_from_file::IpMatchFromFile;
pub use no_match::NoMatch;
pub use number::{Comparison, Number};
pub use pm::Pm;
pub use pm_from_file::PmFromFile;
pub use rbl::Rbl;
pub use refused::Refused;
pub use rx::Rx;
pub use rx_global::RxGlobal;
pub use streq::StrEq;
pub use unconditional_match::UnconditionalMatch;
pub use validate_byte_range::ValidateByteRange;
pub use validate_url_encoding::ValidateUrlEncoding;
pub use validate_utf8_encoding::ValidateUtf8Encoding;
pub use verify::{Kind, Verify};
pub use within::Within;

/// The outcome for one value: None is a miss; no span where the operator knows none.
pub type Hit = Option<Spans>;

/// A hit without a place.
pub fn hit(matched: bool) -> Hit {
    matched.then(Spans::new)
}

/// Why an argument is no argument for this operator.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    #[error("{operator} cannot use this argument: {reason}")]
    Malformed { operator: &'static str, reason: String },
    #[error("the macro %{{{}}} names no known variable", .0.name)]
    Macro(UnknownMacro),
    #[error("reading the data file {path}")]
    DataFile { path: String, source: io::Error },
}

impl From<UnknownMacro> for ArgumentError {
    fn from(error: UnknownMacro) -> Self {
        Self::Macro(error)
    }
}

/// Reads a data file that an argument names.
pub type ReadData<'a> = &'a dyn Fn(&str) -> io::Result<Vec<u8>>;

macro_rules! operators {
    ($($variant:ident($kind:ty) $name:literal $make:expr;)+) => {
        /// One operator with its argument.
        #[derive(Clone, Debug)]
        pub enum Operator {
            $($variant($kind),)+
        }

        impl Operator {
            /// All names as rules write them.
            pub const NAMES: &[&str] = &[$($name,)+];

            /// Names are compared without case; None: no such operator.
            ///
            /// # Errors
            /// The argument is not one of this operator.
            pub fn parse(name: &str, argument: &[u8], data: ReadData<'_>) -> Option<Result<Self, ArgumentError>> {
                $(if name.eq_ignore_ascii_case($name) {
                    let make: fn(&[u8], ReadData<'_>) -> Result<$kind, ArgumentError> = $make;
                    return Some(make(argument, data).map(Self::$variant));
                })+
                None
            }

            /// The name as rules write it.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)+ }
            }

            /// Hot: per value.
            pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
                match self { $(Self::$variant(operator) => operator.matches(value, values),)+ }
            }
        }
    };
}

operators! {
    BeginsWith(BeginsWith) "beginsWith" |argument, _| Ok(BeginsWith::new(Template::parse(argument)?));
    Contains(Contains) "contains" |argument, _| Ok(Contains::new(Template::parse(argument)?));
    ContainsWord(ContainsWord) "containsWord" |argument, _| Ok(ContainsWord::new(Template::parse(argument)?));
    DetectSqli(DetectSqli) "detectSQLi" |_, _| Ok(DetectSqli);
    DetectXss(DetectXss) "detectXSS" |_, _| Ok(DetectXss);
    EndsWith(EndsWith) "endsWith" |argument, _| Ok(EndsWith::new(Template::parse(argument)?));
    Eq(Number) "eq" |argument, _| Ok(Number::new(Comparison::Equal, Template::parse(argument)?));
    FuzzyHash(Refused) "fuzzyHash" |_, _| Refused::new("@fuzzyHash", "files are not hashed here");
    Ge(Number) "ge" |argument, _| Ok(Number::new(Comparison::GreaterOrEqual, Template::parse(argument)?));
    GeoLookup(GeoLookup) "geoLookup" |_, _| Ok(GeoLookup);
    GsbLookup(Refused) "gsbLookup" |_, _| Refused::new("@gsbLookup", "the service it asked is gone");
    Gt(Number) "gt" |argument, _| Ok(Number::new(Comparison::Greater, Template::parse(argument)?));
    InspectFile(Refused) "inspectFile" |_, _| Refused::new("@inspectFile", "no program is run for a request");
    IpMatch(IpMatch) "ipMatch" |argument, _| IpMatch::new(argument);
    IpMatchF(IpMatchFromFile) "ipMatchF" IpMatchFromFile::new;
    IpMatchFromFile(IpMatchFromFile) "ipMatchFromFile" IpMatchFromFile::new;
    Le(Number) "le" |argument, _| Ok(Number::new(Comparison::LessOrEqual, Template::parse(argument)?));
    Lt(Number) "lt" |argument, _| Ok(Number::new(Comparison::Less, Template::parse(argument)?));
    NoMatch(NoMatch) "noMatch" |_, _| Ok(NoMatch);
    Pm(Pm) "pm" |argument, _| Pm::new(argument);
    PmFromFile(PmFromFile) "pmFromFile" PmFromFile::new;
    Pmf(PmFromFile) "pmf" PmFromFile::new;
    Rbl(Rbl) "rbl" |argument, _| Rbl::new(argument);
    Rsub(Refused) "rsub" |_, _| Refused::new("@rsub", "bodies are judged, not rewritten");
    Rx(Rx) "rx" |argument, _| Rx::new(argument);
    RxGlobal(RxGlobal) "rxGlobal" |argument, _| RxGlobal::new(argument);
    StrEq(StrEq) "streq" |argument, _| Ok(StrEq::new(Template::parse(argument)?));
    StrMatch(Contains) "strmatch" |argument, _| Ok(Contains::new(Template::parse(argument)?));
    UnconditionalMatch(UnconditionalMatch) "unconditionalMatch" |_, _| Ok(UnconditionalMatch);
    ValidateByteRange(ValidateByteRange) "validateByteRange" |argument, _| ValidateByteRange::new(argument);
    ValidateDtd(Refused) "validateDTD" |_, _| Refused::new("@validateDTD", "no document type is loaded here");
    ValidateHash(Refused) "validateHash" |_, _| Refused::new("@validateHash", "links are not signed here");
    ValidateSchema(Refused) "validateSchema" |_, _| Refused::new("@validateSchema", "no schema is loaded here");
    ValidateUrlEncoding(ValidateUrlEncoding) "validateUrlEncoding" |_, _| Ok(ValidateUrlEncoding);
    ValidateUtf8Encoding(ValidateUtf8Encoding) "validateUtf8Encoding" |_, _| Ok(ValidateUtf8Encoding);
    VerifyCc(Verify) "verifyCC" |argument, _| Verify::new(Kind::Card, argument);
    VerifyCpf(Verify) "verifyCPF" |argument, _| Verify::new(Kind::Cpf, argument);
    VerifySsn(Verify) "verifySSN" |argument, _| Verify::new(Kind::Ssn, argument);
    VerifySvnr(Verify) "verifySVNR" |argument, _| Verify::new(Kind::Svnr, argument);
    Within(Within) "within" |argument, _| Ok(Within::new(Template::parse(argument)?));
}

impl Operator {
    /// What `capture` keeps as TX.0 where it is no part of the value.
    pub fn captured(&self, value: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::DetectSqli(_) => injection::fingerprint(value),
            Self::Pm(pm) => pm.phrase(value),
            Self::PmFromFile(pm) | Self::Pmf(pm) => pm.phrase(value),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests;

//! Operators: an argument of a rule and a value of a request -> a hit or none. One file an operator; dispatch is
//! static through one enum. No operator knows the rule it belongs to.

mod begins_with;
mod contains;
mod ends_with;
mod ip_match;
mod no_match;
pub mod number;
mod pm;
mod pm_from_file;
mod rx;
mod streq;
mod unconditional_match;
mod validate_byte_range;
mod within;

use std::io;

use smallvec::SmallVec;

use super::template::{Template, UnknownMacro};
use super::values::Values;

pub use begins_with::BeginsWith;
pub use contains::Contains;
pub use ends_with::EndsWith;
pub use ip_match::IpMatch;
pub use no_match::NoMatch;
pub use number::{Comparison, Number};
pub use pm::Pm;
pub use pm_from_file::PmFromFile;
pub use rx::Rx;
pub use streq::StrEq;
pub use unconditional_match::UnconditionalMatch;
pub use validate_byte_range::ValidateByteRange;
pub use within::Within;

/// Where an operator matched: bytes `from..to` of the value, group 0 first. A group that took no part is `(0, 0)`.
pub type Spans = SmallVec<[(usize, usize); 4]>;

/// The outcome for one value: None is a miss; no span where the operator knows none.
pub type Hit = Option<Spans>;

/// A hit without a place.
pub fn hit(matched: bool) -> Hit {
    matched.then(SmallVec::new)
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
    EndsWith(EndsWith) "endsWith" |argument, _| Ok(EndsWith::new(Template::parse(argument)?));
    Eq(Number) "eq" |argument, _| Ok(Number::new(Comparison::Equal, Template::parse(argument)?));
    Ge(Number) "ge" |argument, _| Ok(Number::new(Comparison::GreaterOrEqual, Template::parse(argument)?));
    Gt(Number) "gt" |argument, _| Ok(Number::new(Comparison::Greater, Template::parse(argument)?));
    IpMatch(IpMatch) "ipMatch" |argument, _| IpMatch::new(argument);
    Le(Number) "le" |argument, _| Ok(Number::new(Comparison::LessOrEqual, Template::parse(argument)?));
    Lt(Number) "lt" |argument, _| Ok(Number::new(Comparison::Less, Template::parse(argument)?));
    NoMatch(NoMatch) "noMatch" |_, _| Ok(NoMatch);
    Pm(Pm) "pm" |argument, _| Pm::new(argument);
    PmFromFile(PmFromFile) "pmFromFile" PmFromFile::new;
    Pmf(PmFromFile) "pmf" PmFromFile::new;
    Rx(Rx) "rx" |argument, _| Rx::new(argument);
    StrEq(StrEq) "streq" |argument, _| Ok(StrEq::new(Template::parse(argument)?));
    UnconditionalMatch(UnconditionalMatch) "unconditionalMatch" |_, _| Ok(UnconditionalMatch);
    ValidateByteRange(ValidateByteRange) "validateByteRange" |argument, _| ValidateByteRange::new(argument);
    Within(Within) "within" |argument, _| Ok(Within::new(Template::parse(argument)?));
}

#[cfg(test)]
pub(in crate::engine) mod tests;

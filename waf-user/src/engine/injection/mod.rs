//! A value -> whether it is an SQL or script injection, as libinjection judges. The crate behind it is named here only;
//! what it judges differently from the C library is corrected here, case by case.

mod sql;
mod xss;

pub use sql::fingerprint;
pub use xss::is_xss;

#[cfg(test)]
mod tests;

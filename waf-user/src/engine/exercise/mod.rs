//! Hostile bytes -> one part of the engine, with what must hold of its answer asserted: what the fuzz targets of
//! tests/fuzz and the tests here call. Compiled for those two only; knows no fuzzer.

mod bodies;
mod operators;
mod patterns;
mod rule_text;
mod transactions;
mod transformations;

pub use bodies::{coding, json, multipart, urlencoded, xml};
pub use operators::operator;
pub use patterns::pattern;
pub use rule_text::rule_text;
pub use transactions::transaction;
pub use transformations::transformation;

#[cfg(test)]
mod tests;

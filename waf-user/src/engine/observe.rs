//! Looking on while rules run: for their cost and their effects. Where nobody does, it costs nothing.

use super::transaction::Transaction;

/// Told of each rule.
pub trait Observe {
    fn begins(&mut self, rule: u64, transaction: &Transaction);
    fn ends(&mut self, rule: u64, matched: bool, transaction: &Transaction);
}

/// Nobody looks on.
pub struct Unobserved;

impl Observe for Unobserved {
    fn begins(&mut self, _rule: u64, _transaction: &Transaction) {}
    fn ends(&mut self, _rule: u64, _matched: bool, _transaction: &Transaction) {}
}

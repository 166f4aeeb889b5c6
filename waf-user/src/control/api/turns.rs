//! How many requests of one customer are answered at once, so that none crowds out the others with bodies that it sends
//! slowly or answers that take long. Operators have no such limit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::control::environment::Customer;

/// Requests of one customer at once: a console with a few windows, and a program of its own.
pub const AT_ONCE_MAX: usize = 16;

/// Customers with requests under way.
#[derive(Clone, Debug, Default)]
pub struct Turns(Arc<Mutex<BTreeMap<Customer, usize>>>);

impl Turns {
    /// None where this customer has as many as it may.
    pub fn begin(&self, customer: &Customer) -> Option<Turn> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(customer.clone()).or_default();
        if *count == AT_ONCE_MAX {
            return None;
        }
        *count += 1;
        Some(Turn { turns: self.clone(), customer: customer.clone() })
    }
}

/// One request under way.
#[derive(Debug)]
pub struct Turn {
    turns: Turns,
    customer: Customer,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut all = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&self.customer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(all.remove(&self.customer)),
        }
    }
}

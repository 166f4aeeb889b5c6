//! All that is true at one revision.

use std::collections::BTreeMap;

use crate::control::environment::{Customer, Revision, State};
use crate::control::inventory::Inventory;
use crate::control::plan::{Plan, Policy, Wish, plan};
use crate::model::Wall;

/// Whom we serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRecord {
    pub name: Customer,
    /// The operator's remark.
    pub note: String,
    pub since: Wall,
}

/// Everything as of one revision; an apply under way is in it whole.
#[derive(Clone, Debug)]
pub struct View {
    pub state: State,
    pub inventory: Inventory,
    pub policy: Policy,
    pub customers: BTreeMap<Customer, CustomerRecord>,
}

impl View {
    pub const fn revision(&self) -> Revision {
        self.state.revision()
    }

    /// Decides what becomes of the wishes as things are in this view; changes nothing.
    pub fn plan(&self, wishes: &[Wish], now: Wall) -> Plan {
        plan(wishes, &self.inventory, &self.state, &self.policy, now)
    }
}

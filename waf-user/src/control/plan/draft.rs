//! A plan in the making: the state as it would be after the decisions taken so far, as far as later ones need to know.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::{Action, Decision, Plan, Policy, Refusal, Step, by_size};
use crate::control::capacity::Rates;
use crate::control::change::{Change, Reason, decide, unfit_nodes};
use crate::control::environment::{Customer, Environment, Placement, Site, State, Strength};
use crate::control::inventory::Inventory;
use crate::control::sheet::Sheet;
use crate::model::{Fqdn, Wall};

/// A site that needs a place.
pub(super) struct Waiting {
    pub customer: Customer,
    pub sheet: Arc<Sheet>,
    /// Its record and what serves it today; none for a new site.
    pub site: Option<(Site, Arc<Environment>)>,
    pub reasons: Vec<Reason>,
}

/// Decisions so far and what they take.
pub(super) struct Draft<'a> {
    pub inventory: &'a Inventory,
    pub current: &'a State,
    pub policy: &'a Policy,
    pub now: Wall,
    /// By a node's place in the inventory.
    pub reserved: Vec<Rates>,
    /// Addresses that environments have for themselves, by a node's place.
    pub own_count: Vec<u64>,
    /// Addresses given away in this plan. Those it sets free are given again by a later one only.
    pub given: HashMap<usize, BTreeSet<Ipv4Addr>>,
    pub tenant_next: u32,
    waiting: Vec<Waiting>,
    decisions: Vec<Decision>,
    refusals: Vec<Refusal>,
    steps: Vec<Step>,
}

impl<'a> Draft<'a> {
    pub fn new(inventory: &'a Inventory, current: &'a State, policy: &'a Policy, now: Wall) -> Self {
        let loads = || inventory.nodes().iter().map(|node| current.load(&node.name));
        Self {
            inventory,
            current,
            policy,
            now,
            reserved: loads().map(|load| load.map(|load| load.reserved).unwrap_or_default()).collect(),
            own_count: loads().map(|load| load.map_or(0, |load| load.own.len() as u64)).collect(),
            given: HashMap::new(),
            tenant_next: current.tenant_next(),
            waiting: Vec::new(),
            decisions: Vec::new(),
            refusals: Vec::new(),
            steps: Vec::new(),
        }
    }

    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    pub fn decide(&mut self, decision: Decision) {
        self.decisions.push(decision);
    }

    pub fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The record of a site and what serves it; refuses the wish where there is none.
    pub fn served(&mut self, fqdn: &Fqdn) -> Option<(Site, Arc<Environment>)> {
        let found = self.current.sites().get(fqdn).and_then(|site| {
            let environment = self.current.environment(site.current)?;
            Some((site.clone(), Arc::clone(environment)))
        });
        if found.is_none() {
            self.refuse(Refusal::Unknown(fqdn.clone()));
        }
        found
    }

    /// A sheet for a site that may be new.
    pub fn serve(&mut self, customer: &Customer, sheet: &Arc<Sheet>) {
        if !self.current.sites().contains_key(&sheet.fqdn) {
            let (customer, sheet) = (customer.clone(), Arc::clone(sheet));
            self.waiting.push(Waiting { customer, sheet, site: None, reasons: Vec::new() });
            return;
        }
        let Some((site, before)) = self.served(&sheet.fqdn) else { return };
        if site.customer != *customer {
            self.refuse(Refusal::Foreign(sheet.fqdn.clone()));
            return;
        }
        let reserved = |at: usize| self.reserved.get(at).copied().unwrap_or_default();
        let (change, reasons) = decide(&before, sheet, self.inventory, reserved);
        let after = match change {
            Change::Move => return self.wait(&sheet.fqdn, Some(sheet), reasons),
            Change::Same => Arc::clone(&before),
            Change::InPlace => self.amend(&site, &before, sheet),
        };
        let action = Action::Change(change);
        let (before, after) = (Some(before), Some(after));
        self.decide(Decision { fqdn: sheet.fqdn.clone(), action, reasons, before, after });
    }

    /// A Move that was asked for, because of nodes that are to be empty or for a reason of the operator's own.
    pub fn move_on(&mut self, fqdn: &Fqdn) {
        let served = self.current.sites().get(fqdn).and_then(|site| self.current.environment(site.current));
        let mut reasons = served.map(|it| unfit_nodes(it, self.inventory)).unwrap_or_default();
        if reasons.is_empty() {
            reasons.push(Reason::Asked);
        }
        self.wait(fqdn, None, reasons);
    }

    /// Puts a site among those that need a place; `sheet`: none is the one it has.
    pub fn wait(&mut self, fqdn: &Fqdn, sheet: Option<&Arc<Sheet>>, reasons: Vec<Reason>) {
        let Some((site, before)) = self.served(fqdn) else { return };
        if site.old.is_some() {
            self.refuse(Refusal::MoveUnderWay(fqdn.clone()));
            return;
        }
        let sheet = Arc::clone(sheet.unwrap_or(&before.sheet));
        let customer = site.customer.clone();
        self.waiting.push(Waiting { customer, sheet, site: Some((site, before)), reasons });
    }

    /// Finds places, the largest site first.
    pub fn place_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by_cached_key(|site| by_size(site.sheet.peak, &site.sheet.fqdn));
        waiting.into_iter().for_each(|site| self.place_one(site));
    }

    /// Takes what a placement reserves.
    pub fn reserve(&mut self, placement: &Placement) {
        let Some(at) = self.inventory.place_of(&placement.node) else { return };
        if let Some(reserved) = self.reserved.get_mut(at) {
            *reserved = reserved.plus(placement.reserved);
        }
        if placement.strength == Strength::Own {
            self.given.entry(at).or_default().insert(placement.ipv4);
            if let Some(count) = self.own_count.get_mut(at) {
                *count += 1;
            }
        }
    }

    /// Gives back what an environment's placements reserve; its addresses stay taken in this plan.
    pub fn release(&mut self, environment: &Environment) {
        for placement in &environment.placements {
            let at = self.inventory.place_of(&placement.node);
            if let Some(reserved) = at.and_then(|at| self.reserved.get_mut(at)) {
                *reserved = reserved.minus(placement.reserved);
            }
        }
    }

    pub fn into_plan(mut self) -> Plan {
        if self.tenant_next != self.current.tenant_next() {
            self.steps.insert(0, Step::Number(self.tenant_next));
        }
        Plan {
            revision: self.current.revision(),
            made: self.now,
            decisions: self.decisions,
            refusals: self.refusals,
            steps: self.steps,
        }
    }
}

//! Decisions that need no search, as steps: amend in place, open beside the old, point, roll back, close, remove.

use std::sync::Arc;

use super::draft::{Draft, Waiting};
use super::place::find_places;
use super::{Action, Decision, Refusal, Step};
use crate::control::change::{Change, Place};
use crate::control::environment::{Environment, Site};
use crate::control::inventory::NodeState;
use crate::control::sheet::Sheet;
use crate::model::{Fqdn, Generation, TenantId};

/// Names of one site that are still answered. One more Move, and the oldest is answered no longer.
const NAMES_MAX: usize = 64;
/// Letters and digits of five bits each, without those that are taken for others.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl Draft<'_> {
    /// The same placements with a new sheet; the old environment of a Move under way follows.
    pub fn amend(&mut self, site: &Site, before: &Environment, sheet: &Arc<Sheet>) -> Arc<Environment> {
        self.release(before);
        let mut after = before.clone();
        after.generation = before.generation.next();
        after.sheet = Arc::clone(sheet);
        let share = sheet.peak.share(before.per_carrier());
        after.placements.iter_mut().for_each(|placement| placement.reserved = share);
        for placement in &after.placements {
            let at = self.inventory.place_of(&placement.node);
            if let Some(reserved) = at.and_then(|at| self.reserved.get_mut(at)) {
                *reserved = reserved.plus(share);
            }
        }
        let after = Arc::new(after);
        self.step(Step::Amend(Arc::clone(&after)));
        if let Some(old) = site.old.and_then(|old| self.current.environment(old)) {
            self.follow(&Arc::clone(old), sheet);
        }
        after
    }

    /// The old environment serves what the sheet says now, within what is reserved for it.
    fn follow(&mut self, old: &Environment, sheet: &Sheet) {
        let mut follower = sheet.clone();
        follower.peak = old.sheet.peak;
        follower.residency = old.sheet.residency;
        if follower != *old.sheet {
            let mut after = old.clone();
            after.generation = old.generation.next();
            after.sheet = Arc::new(follower);
            self.step(Step::Amend(Arc::new(after)));
        }
    }

    /// Opens an environment for one site, the old one beside it if there is one.
    pub fn place_one(&mut self, waiting: Waiting) {
        let Waiting { customer, sheet, site, reasons } = waiting;
        let fqdn = sheet.fqdn.clone();
        let Ok(tenant) = TenantId::new(u64::from(self.tenant_next)) else {
            return self.refuse(Refusal::Numbers(self.tenant_next));
        };
        let old = site.as_ref().map(|(_, environment)| environment.placements.as_slice()).unwrap_or_default();
        let placements = match find_places(self, &sheet, tenant, old) {
            Ok(placements) => placements,
            Err(best) => {
                return self.refuse(Refusal::NoRoom { fqdn, residency: sheet.residency, best });
            }
        };
        placements.iter().for_each(|placement| self.reserve(placement));
        self.tenant_next += 1;
        let name = self.name_of(tenant);
        let mut names = site.as_ref().map(|(site, _)| site.names.clone()).unwrap_or_default();
        names.push(name.clone());
        let surplus = names.len().saturating_sub(NAMES_MAX);
        names.drain(..surplus);
        let before = site.map(|(_, environment)| environment);
        let (generation, opened) = (Generation(1), self.now);
        let environment = Environment {
            tenant,
            name,
            customer: customer.clone(),
            sheet: Arc::clone(&sheet),
            placements,
            generation,
            opened,
        };
        let after = Arc::new(environment);
        self.step(Step::Open(Arc::clone(&after)));
        if let Some(before) = &before {
            self.follow(before, &sheet);
        }
        let old = before.as_ref().map(|before| before.tenant);
        self.step(Step::Point(Site { fqdn: fqdn.clone(), customer, current: tenant, old, names }));
        let action = if before.is_some() { Action::Change(Change::Move) } else { Action::Open };
        self.decide(Decision { fqdn, action, reasons, before, after: Some(after) });
    }

    pub fn roll_back(&mut self, fqdn: &Fqdn) {
        let Some((mut site, before, after)) = self.with_old(fqdn) else { return };
        for placement in &after.placements {
            let node = self.inventory.node(&placement.node);
            if node.is_none_or(|node| node.state == NodeState::Dead) {
                let place = Place { carrier: placement.carrier.clone(), node: placement.node.clone() };
                return self.refuse(Refusal::OldIsGone { fqdn: fqdn.clone(), place });
            }
        }
        site.current = after.tenant;
        site.old = Some(before.tenant);
        self.step(Step::Point(site));
        let (before, after) = (Some(before), Some(after));
        let (fqdn, action, reasons) = (fqdn.clone(), Action::RollBack, Vec::new());
        self.decide(Decision { fqdn, action, reasons, before, after });
    }

    pub fn close(&mut self, fqdn: &Fqdn) {
        let Some((mut site, current, old)) = self.with_old(fqdn) else { return };
        self.release(&old);
        site.old = None;
        self.step(Step::Point(site));
        self.step(Step::Close(old.tenant));
        let (before, after) = (Some(old), Some(current));
        let (fqdn, action, reasons) = (fqdn.clone(), Action::Close, Vec::new());
        self.decide(Decision { fqdn, action, reasons, before, after });
    }

    pub fn remove(&mut self, fqdn: &Fqdn) {
        let Some((site, before)) = self.served(fqdn) else { return };
        self.step(Step::Remove(fqdn.clone()));
        for tenant in [Some(site.current), site.old].into_iter().flatten() {
            if let Some(environment) = self.current.environment(tenant) {
                self.release(&Arc::clone(environment));
            }
            self.step(Step::Close(tenant));
        }
        let (fqdn, action, reasons) = (fqdn.clone(), Action::Remove, Vec::new());
        self.decide(Decision { fqdn, action, reasons, before: Some(before), after: None });
    }

    /// A site's record, what serves it, and what served it before the Move under way.
    fn with_old(&mut self, fqdn: &Fqdn) -> Option<(Site, Arc<Environment>, Arc<Environment>)> {
        let (site, current) = self.served(fqdn)?;
        match site.old.and_then(|old| self.current.environment(old)) {
            Some(old) => Some((site, current, Arc::clone(old))),
            None => {
                self.refuse(Refusal::NoOld(fqdn.clone()));
                None
            }
        }
    }

    /// A name that no other environment has: the number, mixed so that neighbours look apart. Not a secret.
    fn name_of(&self, tenant: TenantId) -> Fqdn {
        let mut rest = mix(u64::from(tenant.number()) ^ self.policy.salt);
        let mut label = String::with_capacity(13);
        for _ in 0..13 {
            let digit = usize::try_from(rest % 32).unwrap_or(0);
            label.push(ALPHABET.get(digit).map_or('0', |byte| char::from(*byte)));
            rest /= 32;
        }
        let name = Fqdn::new(&format!("{label}.{}", self.policy.zone));
        name.unwrap_or_else(|_| self.policy.zone.clone())
    }
}

/// The last part of SplitMix64 (Steele, Lea and Flood 2014): one to one, so different numbers have different names.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

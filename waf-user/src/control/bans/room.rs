//! Whether bans that are wished for find room, by what this process has heard: of several that write at once each may
//! exceed a bound by what it writes at that moment.

use std::collections::HashMap;

use super::BanError;
use super::known::Known;
use super::limits::{BANS_MAX, RULE_BANS_MAX, TENANT_BANS_MAX};
use super::write::{Wish, Wishes};
use crate::model::sync::{BanKey, BanSource, FleetScope};

/// All of a person's wishes, or an error that tells the bound.
pub(super) fn for_people(known: &Known, wishes: &Wishes) -> Result<(), BanError> {
    let is_theirs = |key: &BanKey| known.ban(key).is_some_and(|kept| kept.terms.source != BanSource::Rules);
    let mut more = 0;
    let mut more_of: HashMap<FleetScope, usize> = HashMap::new();
    for key in wishes.keys().filter(|key| !is_theirs(key)) {
        more += 1;
        *more_of.entry(key.scope).or_default() += 1;
    }
    for (scope, more) in more_of {
        let there = known.count(scope).of_people;
        if scope != FleetScope::Fleet && there + more > TENANT_BANS_MAX {
            return Err(BanError::TooManyOfSite { there, more });
        }
    }
    let there = known.total().of_people;
    if there + more > BANS_MAX {
        return Err(BanError::TooMany { there, more });
    }
    Ok(())
}

/// Leaves out wishes of rules that find no room, and tells how many: a fleet under attack may ban more than it holds
/// together, and those hold at their own nodes.
pub(super) fn for_rules(known: &Known, wishes: &mut Wishes) -> usize {
    let before = wishes.len();
    let mut more = 0;
    let mut more_of: HashMap<FleetScope, usize> = HashMap::new();
    wishes.retain(|key, wish| {
        if matches!(wish, Wish::Lift) || known.ban(key).is_some() {
            return true;
        }
        let more_there = more_of.entry(key.scope).or_default();
        let fits = known.total().of_rules + more < RULE_BANS_MAX
            && known.count(key.scope).of_rules + *more_there < TENANT_BANS_MAX;
        more += usize::from(fits);
        *more_there += usize::from(fits);
        fits
    });
    before - wishes.len()
}

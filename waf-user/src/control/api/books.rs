//! What else the API asks for: bans of the fleet, and tokens with which nodes join. Those who keep them are not known here.

use ipnet::IpNet;

use super::refused::Refused;
use super::words::BanView;
use crate::control::ledger::Actor;
use crate::model::{Fqdn, TenantId, Wall};

type Answer<'a, T> = futures_util::future::BoxFuture<'a, Result<T, Refused>>;

/// Where a ban holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    Fleet,
    /// A site, and the environments that serve it now.
    Site(Fqdn, Vec<TenantId>),
}

/// A ban to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Making {
    pub prefix: IpNet,
    pub expires: Option<Wall>,
    pub reason: String,
    /// From a list rather than from a person.
    pub imported: bool,
}

/// The bans of the fleet.
pub trait BanBook: Send + Sync {
    /// Those that hold at one of these places, at most `limit`, behind `after`; and where to go on, if that was not all.
    fn list<'a>(
        &'a self,
        places: &'a [Where],
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, (Vec<BanView>, Option<String>)>;

    /// Makes them all; how many were new.
    fn make<'a>(&'a self, place: &'a Where, bans: Vec<Making>, who: &'a Actor) -> Answer<'a, u64>;

    /// Lifts them all; how many there were.
    fn lift<'a>(&'a self, place: &'a Where, prefixes: Vec<IpNet>, who: &'a Actor) -> Answer<'a, u64>;
}

//! Allow and block lists in user space: the same order of decisions as the kernel half, for what the kernel cannot know
//! (the tenant on a shared address) and for nodes without it.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Ban, BanScope, Mono, TenantId};

/// What the lists say of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListVerdict {
    Pass,
    Refuse(Ban),
}

/// All lists of a node, immutable; replaced whole on every change.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    allow: HashMap<BanScope, Prefixes<()>>,
    refuse: HashMap<BanScope, Prefixes<Ban>>,
}

impl Lists {
    /// `allow`: the node's and the tenants' allow lists. `refusals`: bans, and block lists as bans that never expire
    /// ([`crate::model::BanOrigin::List`]). Of several for one scope and prefix the one that lasts longest counts.
    pub fn new(
        allow: impl IntoIterator<Item = (BanScope, IpNet)>,
        refusals: impl IntoIterator<Item = Ban>,
    ) -> Self {
        let mut lists = Self::default();
        for (scope, prefix) in allow {
            lists.allow.entry(canonical_scope(scope)).or_default().insert(prefix, (), |(), ()| false);
        }
        for ban in refusals {
            let scope = canonical_scope(ban.scope);
            lists.refuse.entry(scope).or_default().insert(ban.prefix, ban, outlasts);
        }
        lists
    }

    /// Hot: per connection and per request. Node scope, then the address's, then (if known) the tenant's; a tenant's
    /// allow skips address and tenant entries, the node's allow skips all. Expired entries do not match, and hide no
    /// broader one. O(prefix lengths in use), at most three scopes.
    pub fn verdict(
        &self,
        source: IpAddr,
        destination: IpAddr,
        tenant: Option<TenantId>,
        now: Mono,
    ) -> ListVerdict {
        let source = source.to_canonical();
        if self.allows(BanScope::Node, source) {
            return ListVerdict::Pass;
        }
        if let Some(ban) = self.ban(BanScope::Node, source, now) {
            return ListVerdict::Refuse(ban.clone());
        }
        let tenant = tenant.map(BanScope::Tenant);
        if tenant.is_some_and(|scope| self.allows(scope, source)) {
            return ListVerdict::Pass;
        }
        let address = BanScope::Address(destination.to_canonical());
        let ban = self.ban(address, source, now);
        match ban.or_else(|| tenant.and_then(|scope| self.ban(scope, source, now))) {
            Some(ban) => ListVerdict::Refuse(ban.clone()),
            None => ListVerdict::Pass,
        }
    }

    /// Whether an allow list lets a source past what refuses it in a scope: the node's past everything, the tenant's past
    /// entries of the address and of the tenant.
    pub(super) fn spare(&self, source: IpAddr, scope: BanScope, tenant: Option<TenantId>) -> bool {
        let source = source.to_canonical();
        let by_tenant = || tenant.is_some_and(|tenant| self.allows(BanScope::Tenant(tenant), source));
        self.allows(BanScope::Node, source) || (scope != BanScope::Node && by_tenant())
    }

    fn allows(&self, scope: BanScope, source: IpAddr) -> bool {
        self.allow.get(&scope).is_some_and(|prefixes| prefixes.find(source, |()| true).is_some())
    }

    fn ban(&self, scope: BanScope, source: IpAddr, now: Mono) -> Option<&Ban> {
        let live = |ban: &Ban| ban.expires.is_none_or(|expires| now < expires);
        self.refuse.get(&scope).and_then(|prefixes| prefixes.find(source, live))
    }
}

/// Whether ban `a` lasts longer than `b`; never is longest.
fn outlasts(a: &Ban, b: &Ban) -> bool {
    match (a.expires, b.expires) {
        (None, Some(_)) => true,
        (Some(a), Some(b)) => a > b,
        (_, None) => false,
    }
}

fn canonical_scope(scope: BanScope) -> BanScope {
    match scope {
        BanScope::Address(address) => BanScope::Address(address.to_canonical()),
        scope => scope,
    }
}

/// Prefixes of one scope, found by trying the lengths in use from the longest on.
#[derive(Clone, Debug)]
struct Prefixes<T> {
    entries: HashMap<IpNet, T>,
    /// Lengths in use, longest first.
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
}

impl<T> Default for Prefixes<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), lengths_v4: Vec::new(), lengths_v6: Vec::new() }
    }
}

impl<T> Prefixes<T> {
    /// Of two entries for one prefix the new one stays if it is `better` than the old one.
    fn insert(&mut self, prefix: IpNet, entry: T, better: fn(&T, &T) -> bool) {
        let prefix = canonical_prefix(prefix);
        let lengths = match prefix {
            IpNet::V4(_) => &mut self.lengths_v4,
            IpNet::V6(_) => &mut self.lengths_v6,
        };
        if let Err(at) = lengths.binary_search_by(|length| prefix.prefix_len().cmp(length)) {
            lengths.insert(at, prefix.prefix_len());
        }
        if self.entries.get(&prefix).is_none_or(|old| better(&entry, old)) {
            self.entries.insert(prefix, entry);
        }
    }

    /// The entry of the longest prefix that covers `source` and is `live`.
    fn find(&self, source: IpAddr, live: impl Fn(&T) -> bool) -> Option<&T> {
        let lengths = if source.is_ipv4() { &self.lengths_v4 } else { &self.lengths_v6 };
        lengths.iter().find_map(|length| {
            let prefix = IpNet::new(source, *length).ok()?.trunc();
            self.entries.get(&prefix).filter(|entry| live(entry))
        })
    }
}

/// Host bits cleared; a prefix of IPv4-mapped addresses becomes the IPv4 prefix it means.
fn canonical_prefix(prefix: IpNet) -> IpNet {
    match (prefix.addr().to_canonical(), prefix.prefix_len().checked_sub(96)) {
        (address @ IpAddr::V4(_), Some(length)) if prefix.addr().is_ipv6() => {
            IpNet::new(address, length).unwrap_or(prefix).trunc()
        }
        _ => prefix.trunc(),
    }
}

#[cfg(test)]
mod tests;

//! Allow and block lists in user space: the same order of decisions as the kernel half, for what the kernel cannot know
//! (the tenant on a shared address) and for nodes without it.

use std::net::IpAddr;

use crate::model::{Ban, Mono, TenantId};

/// What the lists say of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListVerdict {
    Pass,
    Refuse(Ban),
}

/// All lists of a node, immutable; replaced whole on every change.
#[derive(Clone, Debug, Default)]
pub struct Lists {}

impl Lists {
    /// Hot: per connection and per request. Node scope, then the address's, then (if known) the tenant's; a tenant's
    /// allow skips address and tenant entries, the node's allow skips all. Expired entries do not match.
    pub fn verdict(
        &self,
        _source: IpAddr,
        _destination: IpAddr,
        _tenant: Option<TenantId>,
        _now: Mono,
    ) -> ListVerdict {
        ListVerdict::Pass
    }
}

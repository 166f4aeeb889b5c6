//! Why bans were not made, lifted or listed, with what to do about it.

use ipnet::IpNet;

use super::limits::{BANS_MAX, TENANT_BANS_MAX, WAITING_OF_NODE_MAX};
use crate::control::audit::aside::AsideError;
use crate::control::store::StoreError;
use crate::model::NodeName;
use crate::model::ban::{WIDEST_V4, WIDEST_V6};

/// What was to be done with bans, and why it was not.
#[derive(Debug, thiserror::Error)]
pub enum BanError {
    #[error(
        "{0} is wider than /{WIDEST_V4} (IPv6: /{WIDEST_V6}), which no node enforces: name narrower prefixes"
    )]
    TooWide(IpNet),
    #[error(
        "{more} bans more than the {there} there are: a fleet holds {BANS_MAX} made by people, lift some first"
    )]
    TooMany { there: usize, more: usize },
    /// The tenant is not told: a customer sees this.
    #[error("{more} bans more than the {there} there are: a site holds {TENANT_BANS_MAX}, lift some first")]
    TooManyOfSite { there: usize, more: usize },
    #[error("{0:?} is no place to go on from: use `next` of the answer before")]
    After(String),
    #[error(
        "node {0} told of {WAITING_OF_NODE_MAX} bans and lifts that are not written yet: the next hold there only"
    )]
    Waiting(NodeName),
    #[error("others changed the same bans again and again: try again")]
    Contended,
    #[error(transparent)]
    Audit(AsideError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AsideError> for BanError {
    fn from(error: AsideError) -> Self {
        match error {
            AsideError::Store(error) => Self::Store(error),
            other => Self::Audit(other),
        }
    }
}

impl BanError {
    /// Whether the same call may succeed a little later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Contended | Self::Waiting(_) => true,
            Self::Store(error) => error.is_passing(),
            _ => false,
        }
    }
}

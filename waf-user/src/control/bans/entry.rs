//! One ban <-> one entry of the store, `ban/<scope>/<prefix>`. There is one a scope and prefix; what the last one says
//! counts.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::control::store::{Entry, Key, Prefix, Revision, StoreError};
use crate::model::Wall;
use crate::model::sync::{BanKey, BanRecord, BanSource};

/// Below this lies nothing but bans.
pub(super) const ROOT: &str = "ban/";

/// What is known of a ban beside its scope and prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// None: until it is lifted.
    pub expires: Option<Wall>,
    pub source: BanSource,
    pub reason: String,
}

/// A ban as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub terms: Terms,
    /// What a guard compares.
    pub modified: Revision,
}

#[derive(Serialize, Deserialize)]
struct BanDocument {
    /// Milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    origin: BanSource,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
}

impl Terms {
    pub fn is_over(&self, now: Wall) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// When it ends, as a number: the largest is never.
    pub fn end(&self) -> u64 {
        self.expires.map_or(u64::MAX, |expires| expires.0)
    }

    /// As nodes are told.
    pub fn record(&self, key: BanKey, now: Wall) -> BanRecord {
        let left_ms = self.expires.map(|expires| expires.0.saturating_sub(now.0));
        BanRecord {
            scope: key.scope,
            prefix: key.prefix,
            source: self.source,
            left_ms,
            reason: self.reason.clone(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let Self { expires, source, reason } = self;
        let document =
            BanDocument { expires: expires.map(|it| it.0), origin: *source, reason: reason.clone() };
        serde_json::to_vec(&document).expect("a number and two texts, which JSON can write")
    }
}

pub(super) fn root() -> Result<Prefix, StoreError> {
    Prefix::new(ROOT)
}

pub(super) fn store_key(key: BanKey) -> Result<Key, StoreError> {
    Key::new(format!("{ROOT}{}/{}", key.scope, key.prefix))
}

/// Which ban a key of the store is of.
pub(super) fn ban_key(key: &Key) -> Result<BanKey, StoreError> {
    let parsed = || {
        let (scope, prefix) = key.as_str().strip_prefix(ROOT)?.split_once('/')?;
        let prefix = prefix.parse::<IpNet>().ok().filter(|prefix| prefix.trunc() == *prefix)?;
        Some(BanKey { scope: scope.parse().ok()?, prefix })
    };
    parsed().ok_or_else(|| corrupt(key, "a key that names no ban"))
}

/// # Errors
/// No `waf` wrote it.
pub(super) fn read(entry: &Entry) -> Result<(BanKey, Kept), StoreError> {
    let key = ban_key(&entry.key)?;
    let document: BanDocument =
        serde_json::from_slice(&entry.value).map_err(|error| corrupt(&entry.key, &error.to_string()))?;
    let BanDocument { expires, origin, reason } = document;
    let terms = Terms { expires: expires.map(Wall), source: origin, reason };
    Ok((key, Kept { terms, modified: entry.modified }))
}

fn corrupt(key: &Key, what: &str) -> StoreError {
    StoreError::Corrupt { place: key.to_string(), what: what.to_owned() }
}

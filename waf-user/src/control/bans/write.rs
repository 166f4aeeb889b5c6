//! What is wished of bans -> transactions that compare before they set, portion by portion. A portion that others were
//! faster at is decided anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ipnet::IpNet;

use super::entry::{Kept, Terms, read, store_key};
use super::limits::{CHUNK_LEN, READ_ANEW_MAX, TRIES_MAX};
use super::told::{By, Done};
use super::{BanBook, BanError};
use crate::control::audit::aside;
use crate::control::store::{Guard, Operation, Revision, Store, StoreError, Transaction};
use crate::model::Wall;
use crate::model::sync::BanKey;

/// What is to become of one ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// A person says so.
    Set(Terms),
    /// A list or a rule says so: what lasts as long already stays, whoever made it.
    Lengthen(Terms),
    Lift,
}

/// Wishes by what they are of; of two on one key the later counts.
pub(super) type Wishes = BTreeMap<BanKey, Wish>;

/// What came of wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Of which a ban is not as it was; once also where a site has two environments.
    pub changed: BTreeSet<IpNet>,
    /// The store's, of the last that changed.
    pub revision: Revision,
}

/// What a wish does to what is there.
pub(super) enum Decision {
    Leave,
    Put(Vec<u8>),
    Delete,
}

impl Decision {
    fn is_change(&self) -> bool {
        !matches!(self, Self::Leave)
    }
}

impl Wish {
    pub fn terms(&self) -> Option<&Terms> {
        match self {
            Self::Set(terms) | Self::Lengthen(terms) => Some(terms),
            Self::Lift => None,
        }
    }

    fn decide(&self, there: Option<&Kept>, now: Wall) -> Decision {
        let there = there.map(|kept| &kept.terms).filter(|terms| !terms.is_over(now));
        match (self, there) {
            (Self::Set(terms) | Self::Lengthen(terms), _) if terms.is_over(now) => Decision::Leave,
            (Self::Set(terms), Some(there)) if terms == there => Decision::Leave,
            (Self::Lengthen(terms), Some(there)) if lasts(there, terms, now) => Decision::Leave,
            (Self::Set(terms) | Self::Lengthen(terms), _) => Decision::Put(terms.bytes()),
            (Self::Lift, None) => Decision::Leave,
            (Self::Lift, Some(_)) => Decision::Delete,
        }
    }
}

/// Whether what is there lasts as long as what is wished, but for a tenth: nodes that ban one source within moments of
/// each other, or an import once more, are no reason to tell the fleet anew.
fn lasts(there: &Terms, wished: &Terms, now: Wall) -> bool {
    let tenth = wished.expires.map_or(0, |expires| expires.0.saturating_sub(now.0) / 10);
    there.end().saturating_add(tenth) >= wished.end()
}

impl BanBook {
    /// Writes them all; those of people with entries of the audit log. Where it fails those before stay: the same wishes
    /// once more do no harm.
    pub(super) async fn write(
        &self,
        wishes: Wishes,
        by: Option<&By<'_>>,
        now: Wall,
    ) -> Result<Written, BanError> {
        let wishes: Vec<(BanKey, Wish)> = wishes.into_iter().collect();
        let mut written = Written::default();
        for chunk in wishes.chunks(CHUNK_LEN) {
            let more = self.write_chunk(chunk, by, now).await?;
            written.changed.extend(more.changed);
            written.revision = written.revision.max(more.revision);
        }
        Ok(written)
    }

    async fn write_chunk(
        &self,
        chunk: &[(BanKey, Wish)],
        by: Option<&By<'_>>,
        now: Wall,
    ) -> Result<Written, BanError> {
        let mut there = if chunk.len() <= READ_ANEW_MAX {
            read_anew(&*self.store, chunk).await?
        } else {
            self.heard(chunk)
        };
        for _ in 0..TRIES_MAX {
            let decided = chunk.iter().map(|(key, wish)| {
                let kept = there.get(key);
                (*key, wish, kept, wish.decide(kept, now))
            });
            let decided: Vec<_> = decided.collect();
            let (guards, operations) = guarded(&decided)?;
            if operations.is_empty() {
                return Ok(Written::default());
            }
            let done = match by {
                Some(by) => {
                    let changes = vec![by.change(&decided)];
                    let done = aside::write(&*self.store, &guards, &operations, changes, (by.actor, now));
                    done.await.map_err(BanError::from)
                }
                None => {
                    self.store.commit(Transaction::new(guards, operations)?).await.map_err(BanError::from)
                }
            };
            match done {
                Ok(revision) => {
                    let changed = decided.iter().filter(|(.., decision)| decision.is_change());
                    let changed = changed.map(|(key, ..)| key.prefix).collect();
                    return Ok(Written { changed, revision });
                }
                // Where the answer got lost the same wishes tell whether it was done.
                Err(BanError::Store(StoreError::Conflict { .. } | StoreError::Uncertain { .. })) => {
                    there = read_anew(&*self.store, chunk).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(BanError::Contended)
    }

    fn heard(&self, chunk: &[(BanKey, Wish)]) -> HashMap<BanKey, Kept> {
        let known = self.known();
        chunk.iter().filter_map(|(key, _)| Some((*key, known.ban(key)?.clone()))).collect()
    }
}

fn guarded(decided: &[Done]) -> Result<(Vec<Guard>, Vec<Operation>), StoreError> {
    let (mut guards, mut operations) = (Vec::new(), Vec::new());
    for (key, _, kept, decision) in decided {
        let at = store_key(*key)?;
        guards.push(match kept {
            Some(kept) => Guard::ModifiedAt(at.clone(), kept.modified),
            None => Guard::Absent(at.clone()),
        });
        match decision {
            Decision::Leave => {}
            Decision::Put(value) => operations.push(Operation::put(&at, value.clone())),
            Decision::Delete => operations.push(Operation::Delete(at)),
        }
    }
    Ok((guards, operations))
}

async fn read_anew(store: &dyn Store, chunk: &[(BanKey, Wish)]) -> Result<HashMap<BanKey, Kept>, StoreError> {
    let keys: Vec<_> = chunk.iter().map(|(key, _)| store_key(*key)).collect::<Result<_, _>>()?;
    let entries = futures_util::future::try_join_all(keys.iter().map(|key| store.get(key))).await?;
    entries.iter().flatten().map(read).collect()
}

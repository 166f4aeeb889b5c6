//! Plans between being made and being applied: kept in memory, as they hold certificate keys, for an hour. A plan that is
//! gone is made again; nothing is lost with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::refused::Refused;
use crate::control::plan::{Notice, Plan};
use crate::control::sheet::Upload;
use crate::control::token::{TokenError, TokenId};
use crate::model::{Fqdn, Wall};
use crate::secret::hex;

/// An hour.
const KEPT_MS: u64 = 60 * 60 * 1000;
/// Plans of one control process; with more, the oldest goes.
const PLANS_MAX: usize = 1000;
/// Of one token, so that nobody crowds out the others; of a customer's, 40 MiB of sheets.
const PLANS_OF_ONE_MAX: usize = 20;
const ID_LEN: usize = 16;

/// One plan that waits.
pub struct Kept {
    pub id: String,
    pub owner: TokenId,
    pub plan: Plan,
    pub uploads: Vec<(Fqdn, Upload)>,
    /// As they were when it was made.
    pub notices: Vec<Notice>,
    pub refusals: Vec<String>,
    pub expires: Wall,
}

/// All plans that wait.
#[derive(Default)]
pub struct Plans(Mutex<BTreeMap<String, Arc<Kept>>>);

impl Plans {
    /// Keeps one, under an id that cannot be guessed.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn keep(&self, mut kept: Kept, now: Wall) -> Result<Arc<Kept>, Refused> {
        let mut id = [0; ID_LEN];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| TokenError::Random)?;
        kept.id = hex::encode(&id);
        kept.expires = Wall(now.0.saturating_add(KEPT_MS));
        let kept = Arc::new(kept);
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|_, other| other.expires > now);
        let own = plans.values().filter(|other| other.owner == kept.owner).count();
        let crowded: Option<&TokenId> = (own >= PLANS_OF_ONE_MAX).then_some(&kept.owner);
        if crowded.is_some() || plans.len() >= PLANS_MAX {
            let candidates = plans.values().filter(|other| crowded.is_none_or(|owner| other.owner == *owner));
            let oldest = candidates.min_by_key(|other| other.expires).map(|other| other.id.clone());
            oldest.and_then(|oldest| plans.remove(&oldest));
        }
        plans.insert(kept.id.clone(), Arc::clone(&kept));
        Ok(kept)
    }

    pub fn find(&self, id: &str, now: Wall) -> Option<Arc<Kept>> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.get(id).filter(|kept| kept.expires > now).cloned()
    }

    pub fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

//! One-time join tokens: kept by the hash of their secret, each for one node and a time, used once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Authority, AuthorityError};
use crate::control::audit::aside::{self, AsideError};
use crate::control::audit::record::{Actor, AuditChange};
use crate::control::store::{Entry, Guard, Key, Operation, Prefix, Transaction};
use crate::model::sync::signing::{digits, hash_of};
use crate::model::sync::{JoinReply, JoinRequest, JoinToken, KeyText};
use crate::model::{NodeName, Wall};

pub(super) const PREFIX: &str = "join/";

#[derive(Serialize, Deserialize)]
struct Kept {
    node: String,
    ends_ms: u64,
    is_used: bool,
}

/// None where no `waf` wrote the entry.
pub(super) fn ends(entry: &Entry) -> Option<u64> {
    serde_json::from_slice::<Kept>(&entry.value).ok().map(|kept| kept.ends_ms)
}

impl Authority {
    /// A token for one node, made by the control plane by itself.
    ///
    /// # Errors
    /// The store's.
    pub async fn token(
        &self,
        node: &NodeName,
        lasts: Duration,
        now: Wall,
    ) -> Result<KeyText, AuthorityError> {
        self.invite(node, lasts, (&Actor::System, now)).await
    }

    /// A token for one node, with an entry of the audit log; its text is shown once and not kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn invite(
        &self,
        node: &NodeName,
        lasts: Duration,
        (actor, now): (&Actor, Wall),
    ) -> Result<KeyText, AuthorityError> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| AuthorityError::Random)?;
        let token = JoinToken { secret: digits(&secret), authority: digits(&self.fingerprint) };
        let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        let kept = Kept { node: node.to_string(), ends_ms: now.0.saturating_add(lasts_ms), is_used: false };
        let key = place(&token)?;
        let change = AuditChange {
            subject: format!("node {node}"),
            action: "join token".to_owned(),
            customer: None,
            reasons: Vec::new(),
            differences: Vec::new(),
        };
        let (guards, operations) = ([Guard::Absent(key.clone())], [Operation::put(&key, text(&kept))]);
        aside::write(&*self.store, &guards, &operations, vec![change], (actor, now)).await?;
        Ok(token.text())
    }

    /// A certificate for whoever brings a token. Of two that come at once, one gets it.
    ///
    /// # Errors
    /// The token is used, ended, unknown or another node's, the request is none; the store's.
    pub async fn join(&self, request: &JoinRequest, now: Wall) -> Result<JoinReply, AuthorityError> {
        let token = JoinToken::parse(request.token.expose()).ok_or(AuthorityError::TokenForm)?;
        let key = place(&token)?;
        let entry = self.store.get(&key).await?.ok_or(AuthorityError::NoToken)?;
        let mut kept: Kept = serde_json::from_slice(&entry.value).map_err(|_| AuthorityError::NoToken)?;
        if kept.is_used {
            return Err(AuthorityError::Used);
        }
        if kept.ends_ms <= now.0 {
            return Err(AuthorityError::NoToken);
        }
        let node = NodeName::new(&kept.node).map_err(|_| AuthorityError::NoToken)?;
        if request.node != kept.node {
            return Err(AuthorityError::OtherNode(kept.node));
        }
        let (reply, put) = self.issue(&node, &request.request, now)?;
        kept.is_used = true;
        // Used up and issued at once: whoever revokes meanwhile finds the certificate, or leaves no token.
        let (guard, used) = (Guard::unchanged(&key, Some(&entry)), Operation::put(&key, text(&kept)));
        match self.store.commit(Transaction::new(vec![guard], vec![used, put])?).await {
            Ok(_) => Ok(reply),
            Err(error) if error.is_conflict() => Err(AuthorityError::Used),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the tokens of a node that nobody has used yet.
    pub(super) async fn end_tokens(
        &self,
        node: &NodeName,
        (actor, now): (&Actor, Wall),
    ) -> Result<(), AuthorityError> {
        for entry in self.store.list(&Prefix::new(PREFIX)?).await?.entries {
            let kept = serde_json::from_slice::<Kept>(&entry.value).ok();
            if kept.is_none_or(|kept| kept.is_used || kept.node != node.as_str()) {
                continue;
            }
            let change = AuditChange {
                subject: format!("node {node}"),
                action: "revoke".to_owned(),
                customer: None,
                reasons: vec!["join token".to_owned()],
                differences: Vec::new(),
            };
            let (guard, take) = (Guard::unchanged(&entry.key, Some(&entry)), Operation::Delete(entry.key));
            match aside::write(&*self.store, &[guard], &[take], vec![change], (actor, now)).await {
                // Used just now: its certificate is there.
                Err(AsideError::Store(error)) if error.is_conflict() => {}
                other => drop(other?),
            }
        }
        Ok(())
    }
}

fn place(token: &JoinToken) -> Result<Key, AuthorityError> {
    Ok(Key::new(format!("{PREFIX}{}", hash_of(&token.secret)))?)
}

fn text(kept: &Kept) -> Vec<u8> {
    serde_json::to_vec(kept).expect("text and numbers")
}

//! A one-time token -> this node's certificate, and by what it knows control from then on; and a certificate that has had
//! half of its time -> the next one. The keys are made here and never leave.

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use super::super::shelf::{Membership, Shelf, ShelfError};
use super::super::user::{UserError, check_user};
use super::call::{CallError, Line};
use crate::config::{NodeSettings, OriginUrl};
use crate::model::sync::{JOIN_PATH, JoinReply, JoinRequest, JoinToken, KeyText, RENEW_PATH, RenewRequest};
use crate::model::{Wall, chain};
use crate::secret::hex;
use crate::tls::{MutualConnector, TlsError};

/// After a renewal that failed. Half of a certificate's time is left for it.
const RENEW_AGAIN: Duration = Duration::from_secs(60);
/// The wall clock may be set while we wait: it is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Why this node has not joined, or has no newer certificate.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error(transparent)]
    User(#[from] UserError),
    #[error("the token is not one: it is two runs of 64 hexadecimal digits with a dot between")]
    Token,
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error("make a key and a request for its certificate")]
    Key(#[from] rcgen::Error),
    #[error("set up TLS with control")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("understand what control answers")]
    Reply(#[from] serde_json::Error),
}

/// Joins and keeps what came of it in `state_dir`. A node that is a member already gets another certificate. Call within a
/// `LocalSet`.
///
/// # Errors
/// See [`JoinError`]; nothing is kept then.
pub async fn join(settings: &NodeSettings, control: &OriginUrl, token: &str) -> Result<(), JoinError> {
    check_user(settings)?;
    let parsed = JoinToken::parse(token).ok_or(JoinError::Token)?;
    let authority = hex::decode(&parsed.authority).and_then(|bytes| bytes.try_into().ok());
    let connector = MutualConnector::pinned(authority.ok_or(JoinError::Token)?)?;
    let shelf = Shelf::open(&settings.state_dir)?;
    // Before the token is used up.
    shelf.check_fleet(&parsed.authority)?;
    let (key, request) = request(settings.name.as_str())?;
    let asked = JoinRequest { node: settings.name.to_string(), token: parsed.text(), request };
    let line = Line::open(&connector, &control.host, control.port).await?;
    let reply = line.ask(JOIN_PATH, serde_json::to_vec(&asked)?).await?;
    let reply: JoinReply = serde_json::from_slice(&reply)?;
    Ok(shelf.join(&reply, &key)?)
}

/// A new key, and the request that shows it.
fn request(node: &str) -> Result<(KeyText, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(vec![node.to_owned()])?;
    let request = params.serialize_request(&key)?.pem()?;
    Ok((KeyText::new(key.serialize_pem()), request))
}

/// Renews over a connection to control once half of the certificate's time is over; ends when a newer one is kept.
pub async fn renew(line: &Line, shelf: &Shelf, member: &Membership, node: &str) {
    let mut told = String::new();
    loop {
        let left = left(member, Wall::now());
        if !left.is_zero() {
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
            continue;
        }
        match try_renew(line, shelf, node).await {
            Ok(()) => return tracing::info!("this node's certificate is renewed"),
            Err(error) => {
                let text = chain(&error);
                if text != told {
                    tracing::warn!(error = text, "this node's certificate is not renewed: tried again");
                    told = text;
                }
            }
        }
        tokio::time::sleep(RENEW_AGAIN).await;
    }
}

/// Until the certificate is to be renewed; nothing where that is now, or its times cannot be read.
fn left(member: &Membership, now: Wall) -> Duration {
    let Ok((begins, ends)) = member.identity.validity() else { return Duration::ZERO };
    let half = begins.0 + ends.0.saturating_sub(begins.0) / 2;
    Duration::from_millis(half.saturating_sub(now.0))
}

async fn try_renew(line: &Line, shelf: &Shelf, node: &str) -> Result<(), JoinError> {
    let (key, request) = request(node)?;
    let reply = line.ask(RENEW_PATH, serde_json::to_vec(&RenewRequest { request })?).await?;
    let reply: JoinReply = serde_json::from_slice(&reply)?;
    Ok(shelf.renew(&reply.certificate, &key)?)
}

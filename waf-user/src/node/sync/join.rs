//! A one-time token -> this node's certificate, and by what it knows control from then on. The key is made here and never
//! leaves.

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, KeyPair};

use super::super::shelf::{Shelf, ShelfError};
use super::call::{CallError, Line};
use crate::config::{NodeSettings, OriginUrl};
use crate::model::sync::{JOIN_PATH, JoinReply, JoinRequest, JoinToken, KeyText};
use crate::secret::hex;
use crate::tls::TlsError;
use crate::tls::fleet::FleetConnector;

/// Why this node has not joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
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

/// Joins and keeps what came of it in `state_dir`. Call within a `LocalSet`.
///
/// # Errors
/// See [`JoinError`]; nothing is kept then.
pub async fn join(settings: &NodeSettings, control: &OriginUrl, token: &str) -> Result<(), JoinError> {
    let parsed = JoinToken::parse(token).ok_or(JoinError::Token)?;
    let authority = hex::decode(&parsed.authority).and_then(|bytes| bytes.try_into().ok());
    let connector = FleetConnector::joining(authority.ok_or(JoinError::Token)?, sha256)?;
    let shelf = Shelf::open(&settings.state_dir)?;
    shelf.check_not_joined()?;
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(vec![settings.name.to_string()])?;
    let request = params.serialize_request(&key)?.pem()?;
    let asked = JoinRequest { node: settings.name.to_string(), token: parsed.text(), request };
    let mut line = Line::open(&connector, &control.host, control.port).await?;
    let reply = line.ask(JOIN_PATH, serde_json::to_vec(&asked)?).await?;
    let reply: JoinReply = serde_json::from_slice(&reply)?;
    let key = KeyText::new(key.serialize_pem());
    // Whether the three fit is seen before anything is kept.
    let (authority, own) = (reply.authority.as_bytes(), reply.certificate.as_bytes());
    FleetConnector::member(authority, own, key.expose().as_bytes())?;
    Ok(shelf.join(&reply, &key)?)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or([0; 32])
}

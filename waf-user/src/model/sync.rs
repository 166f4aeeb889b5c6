//! What a node and a control process say to each other: [`Down`] to the node, [`Up`] from it, each as one [`frame`] of
//! the body of `POST /sync`, and the two calls by which a node gets its certificate. Words only: nothing here opens a
//! connection, asks a clock or knows what either side does with what it hears.
//!
//! ```text
//! node                                                 control
//!  Hello{generation, hash, bans_seen}        ───────>
//!                                            <───────  Snapshot | Delta | nothing where the hash is the same
//!  Want{certificates}                        ───────>
//!                                            <───────  Certificate{fingerprint, chain, key}, one each
//!  Staged{generation}                        ───────>
//!                                            <───────  Activate{generation}
//!  Active{generation} or Refused{why}        ───────>
//!  Ban, Lift, Status                         ───────>
//!                                            <───────  Bans{revision, put, lifted}
//! ```
//!
//! A document is sent as text and signed as text: what was signed is what lies on the node's disk, whatever either side
//! makes of it. Its generation is the revision that it was made at; of two documents the later generation counts, and a
//! node never goes back.

pub mod ban;
pub mod document;
pub mod frame;
pub mod key_text;
pub mod signing;

pub use ban::{BanKey, BanRecord, BanSource, FleetScope, Lifted};
pub use document::{Contract, NodeDocument, TenantDocument};
pub use frame::{FRAME_BYTES_MAX, FrameError, Frames};
pub use key_text::KeyText;
pub use signing::{SIGNATURE_LEN, signed_bytes};

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Of these words; a node of another version is refused with a sentence.
pub const VERSION: u32 = 1;
/// What every control process's certificate names, whatever its address: what a node asks for and checks.
pub const CONTROL_NAME: &str = "waf-control";
/// `POST`, without a client certificate: [`JoinRequest`] -> [`JoinReply`].
pub const JOIN_PATH: &str = "/join";
/// `POST`, with one: [`RenewRequest`] -> [`JoinReply`].
pub const RENEW_PATH: &str = "/renew";
/// `POST`, with one: [`Up`] frames -> [`Down`] frames.
pub const SYNC_PATH: &str = "/sync";
/// Bytes of a join or renew request or reply.
pub const CALL_BYTES_MAX: usize = 64 * 1024;

/// From a node that has no certificate yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    pub node: String,
    /// [`JoinToken`] as text.
    pub token: KeyText,
    /// PEM of a PKCS#10 request; of it only the key counts.
    pub request: String,
}

/// From a node whose certificate ends before long.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// As [`JoinRequest::request`].
    pub request: String,
}

/// What a node keeps from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinReply {
    /// PEM of the node's certificate.
    pub certificate: String,
    /// PEM of the authority's.
    pub authority: String,
    /// Ed25519 public key that documents are signed with, 64 hexadecimal digits.
    pub fleet_key: String,
    /// When the certificate ends, ms since 1970; to be renewed well before.
    pub ends_ms: u64,
}

/// An answer that is no success, as JSON, with the status it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A sentence for the operator of the node: what is wrong and what to do.
    pub error: String,
}

/// One-time right to join as one node: a secret, and by which authority's certificate the other side is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinToken {
    /// 64 hexadecimal digits.
    pub secret: String,
    /// SHA-256 of the authority's certificate (DER), 64 hexadecimal digits.
    pub authority: String,
}

impl JoinToken {
    /// `<secret>.<authority>`; none where the text has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (secret, authority) = text.trim().split_once('.')?;
        let is_digits =
            |part: &str| part.len() == 64 && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (is_digits(secret) && is_digits(authority))
            .then(|| Self { secret: secret.to_owned(), authority: authority.to_owned() })
    }

    pub fn text(&self) -> KeyText {
        KeyText::new(format!("{}.{}", self.secret, self.authority))
    }
}

/// From control to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Down {
    /// The whole document. To be staged, not served yet.
    Snapshot(Snapshot),
    /// What changed since the document of `from`; [`Delta::apply`].
    Delta(Delta),
    /// Asked for with [`Up::Want`].
    Certificate(Certificate),
    /// Serve the document of this generation, which was staged.
    Activate { generation: u64 },
    /// Bans that hold for this node.
    Bans(Bans),
    /// The last word of a stream: why control ends it, for the operator of the node.
    Refused { error: String },
}

/// A whole document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub generation: u64,
    /// JSON of a [`NodeDocument`].
    pub document: String,
    /// SHA-256 of that text, 64 hexadecimal digits.
    pub hash: String,
    /// Ed25519 over [`signed_bytes`], 128 hexadecimal digits.
    pub signature: String,
}

/// A document by what changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    pub generation: u64,
    /// Hash of the document that it is to be applied to.
    pub from: String,
    /// New or changed tenants.
    pub put: Vec<TenantDocument>,
    pub removed: Vec<u32>,
    pub capacity: Contract,
    /// Of the text of the document that comes out; where it differs, [`Up::Again`].
    pub hash: String,
    pub signature: String,
}

impl Delta {
    /// The document and its text. None where the text does not have the hash that was announced.
    pub fn apply(&self, from: &NodeDocument) -> Option<(NodeDocument, String)> {
        let mut document = from.clone();
        document.capacity = self.capacity;
        let put = self.put.iter().map(|put| put.tenant);
        let gone: HashSet<u32> = self.removed.iter().copied().chain(put).collect();
        document.tenants.retain(|it| !gone.contains(&it.tenant));
        document.tenants.extend(self.put.iter().cloned());
        document.tenants.sort_by_key(|it| it.tenant);
        let text = document.to_text();
        (signing::hash_of(&text) == self.hash).then_some((document, text))
    }
}

/// A certificate with its key, known by its chain: whoever gets it checks that the fingerprint is that of the chain and
/// that the key fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// SHA-256 of the chain's DER, leaf first, 64 hexadecimal digits.
    pub fingerprint: String,
    /// PEM.
    pub chain: String,
    /// PEM.
    pub key: KeyText,
}

/// Bans of one revision: all there are, or what changed since the one before. Many come in several messages, of which
/// only the last counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bans {
    /// What [`Up::Hello`] names as `bans_seen` once the last message of it was heard.
    pub revision: u64,
    /// In place of all bans that came from above before; otherwise on top of them.
    pub is_whole: bool,
    pub is_last: bool,
    pub put: Vec<BanRecord>,
    pub lifted: Vec<Lifted>,
}

/// From a node to control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Up {
    /// First, and once.
    Hello(Greeting),
    /// Certificates of the document being staged that are not on the node's disk, by fingerprint.
    Want { certificates: Vec<String> },
    /// A delta did not come out right: the whole document, please.
    Again,
    /// Everything of this generation is on disk and was checked.
    Staged { generation: u64 },
    /// New connections are served as this generation says.
    Active { generation: u64 },
    /// This generation is not served; the one before still is.
    Refused { generation: u64, why: String },
    /// The rules of this node ban a source. It holds here already.
    Ban(BanRecord),
    /// An operator of this node lifted a ban.
    Lift(Lifted),
    /// Once a second.
    Status(Status),
}

/// Who speaks, and what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    pub version: u32,
    pub node: String,
    /// Of the document served; 0 where there is none.
    pub generation: u64,
    /// Of the document served; empty where there is none.
    pub hash: String,
    /// [`Bans::revision`] that was heard last by this process; 0 after its start, for bans from above are not kept on
    /// disk.
    pub bans_seen: u64,
    /// The node's own program, for people.
    pub software: String,
}

/// How a node is, and what its tenants used since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Served; 0 = none.
    pub generation: u64,
    pub is_ready: bool,
    /// Bans that hold, of every origin.
    pub bans: u64,
    /// What the counts of `usage` were counted over.
    pub interval_ms: u64,
    /// Tenants with any traffic; not in every message, and of many tenants some in this and some in the next one.
    pub usage: Vec<TenantUsage>,
}

/// Counts of one tenant over one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantUsage {
    pub tenant: u32,
    pub requests: u64,
    /// Refused for gross excess over the contract; not among `requests`.
    pub limited: u64,
    /// To and from visitors.
    pub bytes: u64,
    /// Asked for, those refused for excess among them.
    pub handshakes: u64,
}

#[cfg(test)]
mod tests;

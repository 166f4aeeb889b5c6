//! The fleet's own authority: made once, kept in the store with its keys sealed. Issues certificates to nodes that come
//! with a one-time token or with the certificate before, to control processes for their listener, signs documents, and
//! remembers what it has revoked. Speaks to nobody itself.
//!
//! ```text
//! authority/certificate            PEM                      node-certificate/<node>/<serial>  when it ends, ms
//! authority/key                    PKCS#8 DER, sealed       revoked/<serial>                  when it ends, ms
//! authority/documents              PKCS#8 DER, sealed       join/<SHA-256 of the secret>      JSON, see `token`
//! ```

mod error;
mod issue;
mod token;

pub use error::AuthorityError;
pub use issue::Issued;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::audit::aside;
use super::audit::record::{Actor, AuditChange};
use super::store::{Entry, Guard, Key, Operation, Prefix, Store, Transaction};
use crate::model::sync::signed_bytes;
use crate::model::sync::signing::{digits, hash_of};
use crate::model::{NodeName, Wall};
use crate::secret::{KeyRing, Sealed, Secret};

const CERTIFICATE: &str = "authority/certificate";
const KEY: &str = "authority/key";
const DOCUMENTS: &str = "authority/documents";
/// Years of the authority itself. There is no changing it but by joining every node again.
const AUTHORITY_DAYS: u64 = 30 * 365;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The authority of one fleet.
pub struct Authority {
    store: Arc<dyn Store>,
    certificate_pem: String,
    fingerprint: [u8; 32],
    issuer: Issuer<'static, KeyPair>,
    documents: Ed25519KeyPair,
}

impl Authority {
    /// The store's, made now where it has none; of several processes that begin at once, one makes it.
    ///
    /// # Errors
    /// The store's; a key that the ring does not open.
    pub async fn open(store: Arc<dyn Store>, ring: &KeyRing, now: Wall) -> Result<Self, AuthorityError> {
        let key = Key::new(CERTIFICATE)?;
        if store.get(&key).await?.is_none() {
            match store.commit(make(&key, ring, now)?).await {
                Ok(_) => {}
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let found = store.get(&key).await?.ok_or(AuthorityError::Missing(CERTIFICATE))?;
        let odd = |_| AuthorityError::Missing(CERTIFICATE);
        let certificate_pem = String::from_utf8(found.value).map_err(odd)?;
        let issuing = open_key(&*store, ring, KEY).await?;
        let issuing = KeyPair::try_from(issuing.expose().as_slice())?;
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, issuing)?;
        let documents = open_key(&*store, ring, DOCUMENTS).await?;
        let documents = Ed25519KeyPair::from_pkcs8(documents.expose())
            .map_err(|_rejected| AuthorityError::Missing(DOCUMENTS))?;
        let fingerprint = fingerprint_of(&certificate_pem)?;
        Ok(Self { store, certificate_pem, fingerprint, issuer, documents })
    }

    /// Whether a store has an authority already.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_there(store: &dyn Store) -> Result<bool, AuthorityError> {
        Ok(store.get(&Key::new(CERTIFICATE)?).await?.is_some())
    }

    /// PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// SHA-256 of the authority's certificate (DER).
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Public key that documents are signed with, hexadecimal digits.
    pub fn fleet_key(&self) -> String {
        digits(self.documents.public_key().as_ref())
    }

    /// Signs a document's text for a node and generation; hexadecimal digits.
    pub fn sign(&self, node: &NodeName, generation: u64, text: &str) -> String {
        digits(self.documents.sign(&signed_bytes(node.as_str(), generation, &hash_of(text))).as_ref())
    }

    /// Takes all certificates and unused tokens away that a node has: they are refused from now on.
    ///
    /// # Errors
    /// The store's.
    pub async fn revoke(&self, node: &NodeName) -> Result<usize, AuthorityError> {
        self.expel(node, (&Actor::System, Wall::now())).await
    }

    /// As [`Authority::revoke`], with entries of the audit log.
    ///
    /// # Errors
    /// The store's.
    pub async fn expel(
        &self,
        node: &NodeName,
        (actor, now): (&Actor, Wall),
    ) -> Result<usize, AuthorityError> {
        self.end_tokens(node, (actor, now)).await?;
        let prefix = certificates_of(node)?;
        let mut revoked = 0;
        loop {
            let entries = self.certificates(node).await?;
            for entry in &entries {
                let serial = prefix.rest(&entry.key).unwrap_or_default();
                let put = Operation::put(&revoked_key(serial)?, entry.value.clone());
                let take = Operation::Delete(entry.key.clone());
                let change = AuditChange {
                    subject: format!("node {node}"),
                    action: "revoke".to_owned(),
                    customer: None,
                    reasons: vec![format!("certificate {serial}")],
                    differences: Vec::new(),
                };
                aside::write(&*self.store, &[], &[put, take], vec![change], (actor, now)).await?;
            }
            // What was renewed while we were at it is listed by now.
            if entries.is_empty() {
                return Ok(revoked);
            }
            revoked += entries.len();
        }
    }

    async fn certificates(&self, node: &NodeName) -> Result<Vec<Entry>, AuthorityError> {
        Ok(self.store.list(&certificates_of(node)?).await?.entries)
    }

    /// # Errors
    /// The store's.
    pub async fn is_revoked(&self, serial: &str) -> Result<bool, AuthorityError> {
        Ok(self.store.get(&revoked_key(serial)?).await?.is_some())
    }

    /// Forgets revoked certificates and tokens that have ended by themselves.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self, now: Wall) -> Result<(), AuthorityError> {
        for prefix in ["revoked/", "node-certificate/", token::PREFIX] {
            let entries = self.store.list(&Prefix::new(prefix)?).await?.entries;
            let ended = |entry: &Entry| {
                let ends = match prefix {
                    token::PREFIX => token::ends(entry),
                    _ => std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok()),
                };
                ends.is_none_or(|ends: u64| ends.saturating_add(DAY_MS) < now.0)
            };
            for entry in entries.into_iter().filter(ended) {
                let guard = Guard::ModifiedAt(entry.key.clone(), entry.modified);
                let take = Transaction::new(vec![guard], vec![Operation::Delete(entry.key)])?;
                match self.store.commit(take).await {
                    Err(error) if !error.is_conflict() => return Err(error.into()),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn certificates_of(node: &NodeName) -> Result<Prefix, AuthorityError> {
    Ok(Prefix::new(format!("node-certificate/{node}/"))?)
}

fn revoked_key(serial: &str) -> Result<Key, AuthorityError> {
    Ok(Key::new(format!("revoked/{serial}"))?)
}

/// The transaction that makes it, if nobody else has.
fn make(key: &Key, ring: &KeyRing, now: Wall) -> Result<Transaction, AuthorityError> {
    let issuing = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, "waf control");
    let ends_ms = now.0.saturating_add(AUTHORITY_DAYS * DAY_MS);
    issue::set_times(&mut params, now.0.saturating_sub(DAY_MS), ends_ms);
    let certificate = params.self_signed(&issuing)?;
    let documents = Ed25519KeyPair::generate().map_err(|_| AuthorityError::Random)?;
    let documents = documents.to_pkcs8().map_err(|_| AuthorityError::Random)?;
    let seal = |place: &str, bytes: Vec<u8>| ring.seal(place, &Secret::new(bytes)).map(Sealed::into_bytes);
    let operations = vec![
        Operation::put(key, certificate.pem()),
        Operation::put(&Key::new(KEY)?, seal(KEY, issuing.serialize_der())?),
        Operation::put(&Key::new(DOCUMENTS)?, seal(DOCUMENTS, documents.as_ref().to_vec())?),
    ];
    Ok(Transaction::new(vec![Guard::Absent(key.clone())], operations)?)
}

async fn open_key(
    store: &dyn Store,
    ring: &KeyRing,
    place: &'static str,
) -> Result<Secret<Vec<u8>>, AuthorityError> {
    let entry = store.get(&Key::new(place)?).await?.ok_or(AuthorityError::Missing(place))?;
    let sealed = Sealed::from_bytes(&entry.value).ok_or(AuthorityError::Missing(place))?;
    Ok(ring.open(place, &sealed)?)
}

fn fingerprint_of(pem: &str) -> Result<[u8; 32], AuthorityError> {
    let (_rest, parsed) = x509_parser::pem::parse_x509_pem(pem.as_bytes())
        .map_err(|_odd| AuthorityError::Missing(CERTIFICATE))?;
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, &parsed.contents).as_ref());
    Ok(fingerprint)
}

#[cfg(test)]
mod tests;

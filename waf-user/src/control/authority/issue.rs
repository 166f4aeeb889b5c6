//! A request for a certificate -> a certificate. Of the request only the key counts: the name, the time and what the
//! certificate is good for are ours to say.

use std::time::Duration;

use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};

use super::{Authority, AuthorityError, DAY_MS, revoked_key};
use crate::control::store::{Guard, Key, Operation, Transaction};
use crate::model::sync::signing::digits;
use crate::model::sync::{CONTROL_NAME, JoinReply};
use crate::model::{NodeName, Wall};

/// Days of a node's certificate; it renews after half of them.
const NODE_DAYS: u64 = 30;
/// Certificates of one node that have not ended, before it is refused another: it needs two, whoever rebuilds machines
/// some more, and one that asks without end must not fill the store.
pub(super) const CERTIFICATES_OF_NODE_MAX: usize = 100;
/// Days of a listener's certificate, which its process makes anew every day.
const LISTENER_DAYS: u64 = 7;
/// By how much clocks of nodes may be behind ours.
const BEHIND_MS: u64 = 60 * 60 * 1000;
/// Below 2^127, so that no sign octet is added.
const SERIAL_LEN: usize = 16;

/// A certificate made here with its key, PEM both.
pub struct Issued {
    /// The authority's comes after it, for those who know it by its fingerprint only.
    pub chain_pem: String,
    pub key_pem: zeroize::Zeroizing<String>,
}

impl Authority {
    /// For the key of a request, on the name of a node that the caller has made sure of; and what keeps it in the store,
    /// without which it must not be given away: what is not there is not revoked.
    pub(super) fn issue(
        &self,
        node: &NodeName,
        request_pem: &str,
        now: Wall,
    ) -> Result<(JoinReply, Operation), AuthorityError> {
        let mut request =
            CertificateSigningRequestParams::from_pem(request_pem).map_err(AuthorityError::Request)?;
        let (serial, ends) = (serial()?, Wall(now.0.saturating_add(NODE_DAYS * DAY_MS)));
        request.params = params(node.as_str(), &serial, now, ends, ExtendedKeyUsagePurpose::ClientAuth);
        let certificate = request.signed_by(&self.issuer)?;
        let name = digits(&serial);
        // As the number is read back from the certificate: without zeros before it.
        let key = Key::new(format!("node-certificate/{node}/{}", name.trim_start_matches('0')))?;
        let reply = JoinReply {
            certificate: certificate.pem(),
            authority: self.certificate_pem.clone(),
            fleet_key: self.fleet_key(),
            ends_ms: ends.0,
        };
        Ok((reply, Operation::put(&key, ends.0.to_string())))
    }

    /// Another certificate for a node that showed a good one.
    ///
    /// # Errors
    /// The request is none, the certificate shown is revoked, there are too many of this node; the store's.
    pub async fn renew(
        &self,
        node: &NodeName,
        serial: &str,
        request_pem: &str,
        now: Wall,
    ) -> Result<JoinReply, AuthorityError> {
        if self.is_revoked(serial).await? {
            return Err(AuthorityError::Revoked(node.clone()));
        }
        if self.certificates(node).await?.len() >= CERTIFICATES_OF_NODE_MAX {
            return Err(AuthorityError::TooMany(node.clone()));
        }
        let (reply, put) = self.issue(node, request_pem, now)?;
        // Revoked since it was asked: what grew out of it then would be nobody's to revoke.
        let guard = Guard::Absent(revoked_key(serial)?);
        match self.store.commit(Transaction::new(vec![guard], vec![put])?).await {
            Ok(_) => Ok(reply),
            Err(error) if error.is_conflict() => Err(AuthorityError::Revoked(node.clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// For a listener of ours: the name is the same wherever it listens.
    ///
    /// # Errors
    /// The library fails.
    pub fn listener(&self, now: Wall) -> Result<Issued, AuthorityError> {
        self.listener_for(&[], now)
    }

    /// For a listener that goes by these names and addresses, too.
    ///
    /// # Errors
    /// One of them can stand in no certificate, or the library fails.
    pub fn listener_for(&self, names: &[String], now: Wall) -> Result<Issued, AuthorityError> {
        let key = KeyPair::generate()?;
        let ends = Wall(now.0.saturating_add(LISTENER_DAYS * DAY_MS));
        let mut params = params(CONTROL_NAME, &serial()?, now, ends, ExtendedKeyUsagePurpose::ServerAuth);
        let all: Vec<String> =
            std::iter::once(CONTROL_NAME.to_owned()).chain(names.iter().cloned()).collect();
        params.subject_alt_names = CertificateParams::new(all)?.subject_alt_names;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            chain_pem: format!("{}{}", certificate.pem(), self.certificate_pem),
            key_pem: zeroize::Zeroizing::new(key.serialize_pem()),
        })
    }
}

fn params(
    name: &str,
    serial: &[u8],
    now: Wall,
    ends: Wall,
    good_for: ExtendedKeyUsagePurpose,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(serial));
    set_times(&mut params, now.0.saturating_sub(BEHIND_MS), ends.0);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![good_for];
    params.use_authority_key_identifier_extension = true;
    params
}

fn serial() -> Result<[u8; SERIAL_LEN], AuthorityError> {
    let mut serial = [0; SERIAL_LEN];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| AuthorityError::Random)?;
    // Neither negative nor 0 (RFC 5280 §4.1.2.2), and of full length.
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

/// Valid between two moments, counted as the library counts.
pub(super) fn set_times(params: &mut CertificateParams, begins_ms: u64, ends_ms: u64) {
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_millis(begins_ms);
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_millis(ends_ms);
}

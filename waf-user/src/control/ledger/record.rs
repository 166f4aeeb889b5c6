//! Steps of a plan and certificates <-> entries of the store, and what a plan does in the audit log's words.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load::{bytes, key, put, read};
use super::{ChainAndKey, LedgerError};
use crate::control::audit::difference::{Difference, difference};
use crate::control::audit::record::AuditChange;
use crate::control::document::{EnvironmentDocument, SheetDocument, SiteDocument};
use crate::control::environment::{Customer, Environment, State};
use crate::control::plan::{Decision, Plan, Step};
use crate::control::sheet::{Tls, Upload};
use crate::control::store::{Key, Operation, Store, StoreError};
use crate::model::Fqdn;
use crate::secret::{KeyRing, Sealed, Secret, SecretError, hex};

const CERTIFICATES: &str = "certificate/";

/// A chain, and its key sealed for the place it lies at.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateEntry {
    chain: String,
    sealed: String,
}

pub(super) fn steps(steps: &[Step]) -> Result<Vec<Operation>, LedgerError> {
    let mut operations = Vec::new();
    for step in steps {
        operations.extend(match step {
            // The counter tells it.
            Step::Number(_) => None,
            Step::Open(it) | Step::Amend(it) => Some(put(
                &format!("environment/{:010}", it.tenant.number()),
                &EnvironmentDocument::from(&**it),
            )?),
            Step::Point(site) => Some(put(&format!("site/{}", site.fqdn), &SiteDocument::from(site))?),
            Step::Close(tenant) => {
                Some(Operation::Delete(key(&format!("environment/{:010}", tenant.number()))?))
            }
            Step::Remove(fqdn) => Some(Operation::Delete(key(&format!("site/{fqdn}"))?)),
        });
    }
    Ok(operations)
}

pub(super) fn certificate_key(fingerprint: &[u8; 32]) -> Result<Key, StoreError> {
    Key::new(format!("{CERTIFICATES}{}", hex::encode(fingerprint)))
}

/// Certificates that steps want, each with the site that wants it.
pub(super) fn named_certificates(steps: &[Step]) -> Vec<(Fqdn, [u8; 32])> {
    let named = steps.iter().filter_map(|step| match step {
        Step::Open(it) | Step::Amend(it) => match it.sheet.tls {
            Tls::Upload(certificate) => Some((it.sheet.fqdn.clone(), certificate.fingerprint)),
            Tls::None => None,
        },
        _ => None,
    });
    named.collect()
}

/// Takes away the certificates of environments that steps change or close, where none uses them afterwards.
pub(super) fn unused_certificates(
    before: &State,
    after: &State,
    steps: &[Step],
) -> Result<Vec<Operation>, LedgerError> {
    let fingerprint = |it: &Environment| match it.sheet.tls {
        Tls::Upload(certificate) => Some(certificate.fingerprint),
        Tls::None => None,
    };
    let touched = steps.iter().filter_map(|step| match step {
        Step::Amend(it) => before.environments().get(&it.tenant),
        Step::Close(tenant) => before.environments().get(tenant),
        Step::Number(_) | Step::Open(_) | Step::Point(_) | Step::Remove(_) => None,
    });
    let mut unused: BTreeSet<[u8; 32]> = touched.filter_map(|it| fingerprint(it)).collect();
    if !unused.is_empty() {
        after.environments().values().filter_map(|it| fingerprint(it)).for_each(|used| {
            unused.remove(&used);
        });
    }
    unused.iter().map(|it| Ok(Operation::Delete(certificate_key(it)?))).collect()
}

/// Whose sites steps point at something.
pub(super) fn owners(steps: &[Step]) -> impl Iterator<Item = &Customer> {
    steps.iter().filter_map(|step| match step {
        Step::Point(site) => Some(&site.customer),
        _ => None,
    })
}

pub(super) fn certificates<'a>(
    keys: &KeyRing,
    uploads: impl Iterator<Item = &'a Upload>,
) -> Result<Vec<Operation>, LedgerError> {
    let sealed = uploads.map(|upload| {
        let key = certificate_key(&upload.certificate.fingerprint)?;
        let secret = Secret::new(upload.key.reveal().as_bytes().to_vec());
        let sealed = keys.seal(key.as_str(), &secret)?.to_string();
        Ok(Operation::put(&key, bytes(&CertificateEntry { chain: upload.chain.clone(), sealed })))
    });
    sealed.collect()
}

pub(super) async fn certificate(
    store: &dyn Store,
    keys: &KeyRing,
    fingerprint: &[u8; 32],
) -> Result<ChainAndKey, LedgerError> {
    let key = certificate_key(fingerprint)?;
    let Some(entry) = store.get(&key).await? else {
        return Err(LedgerError::UnknownCertificate(hex::encode(fingerprint)));
    };
    certificate_of(keys, key.as_str(), &entry.value)
}

/// A chain and its key, of the entry that holds them.
pub(in crate::control) fn certificate_of(
    keys: &KeyRing,
    place: &str,
    value: &[u8],
) -> Result<ChainAndKey, LedgerError> {
    let CertificateEntry { chain, sealed } = read(place, value)?;
    let sealed: Sealed = sealed.parse().map_err(|_: SecretError| SecretError::NotSealed(place.to_owned()))?;
    Ok((chain, keys.open(place, &sealed)?))
}

/// Whether a key of the store is that of a certificate.
pub(in crate::control) fn is_certificate_of(key: &str) -> bool {
    key.starts_with(CERTIFICATES)
}

/// What a plan did, a line a site.
pub(super) fn of_plan(plan: &Plan) -> Vec<AuditChange> {
    plan.decisions.iter().map(of_decision).collect()
}

fn of_decision(decision: &Decision) -> AuditChange {
    let owner = decision.after.as_ref().or(decision.before.as_ref());
    AuditChange {
        subject: format!("site {}", decision.fqdn),
        action: decision.action.to_string(),
        customer: owner.map(|environment| environment.customer.to_string()),
        reasons: decision.reasons.iter().map(ToString::to_string).collect(),
        differences: sheets(decision.before.as_deref(), decision.after.as_deref()),
    }
}

fn sheets(before: Option<&Environment>, after: Option<&Environment>) -> Vec<Difference> {
    let value = |environment: Option<&Environment>| {
        let document = environment.map(|it| SheetDocument::from(&*it.sheet));
        document.map_or(Value::Null, |it| serde_json::to_value(it).unwrap_or_default())
    };
    difference(&value(before), &value(after))
}

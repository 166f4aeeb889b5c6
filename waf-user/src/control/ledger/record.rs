//! Steps of a plan, certificates, customers and entries of the audit log <-> entries of the store.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load::{key, put, read};
use super::{ChainAndKey, CustomerRecord, LedgerError};
use crate::control::audit::difference::{Difference, difference};
use crate::control::audit::record::{AuditChange, AuditEntry};
use crate::control::document::{CustomerDocument, EnvironmentDocument, SheetDocument, SiteDocument};
use crate::control::environment::{Customer, Environment, Revision};
use crate::control::plan::{Decision, Plan, Step};
use crate::control::sheet::{Tls, Upload};
use crate::control::store::{Key, Operation, Store, StoreError};
use crate::model::{Fqdn, Wall};
use crate::secret::{KeyRing, Sealed, Secret, SecretError, hex};

/// A chain, and its key sealed for the place it lies at.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateEntry {
    chain: String,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditDocument {
    revision: u64,
    /// Milliseconds since 1970.
    at: u64,
    actor: String,
    changes: Vec<AuditChange>,
    /// The other changes of this revision lie in so many entries `audit/<revision>/<part>`, from 1 on.
    #[serde(default)]
    parts: usize,
}

/// Changes of one entry of the log: with a sheet's few dozen fields each far below a value's bound.
const AUDIT_CHANGES_MAX: usize = 50;

/// Plain words and numbers as JSON, which does not fail.
pub(super) fn bytes(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
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
    Key::new(format!("certificate/{}", hex::encode(fingerprint)))
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

pub(super) fn certificates(
    keys: &KeyRing,
    uploads: &[(Fqdn, Upload)],
) -> Result<Vec<Operation>, LedgerError> {
    let sealed = uploads.iter().map(|(_, upload)| {
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
    let CertificateEntry { chain, sealed } = read(key.as_str(), &entry.value)?;
    let sealed: Sealed = sealed.parse().map_err(|_: SecretError| SecretError::NotSealed(key.to_string()))?;
    Ok((chain, keys.open(key.as_str(), &sealed)?))
}

pub(super) fn customer(
    before: Option<&CustomerRecord>,
    after: Option<&CustomerRecord>,
    name: &Customer,
) -> Result<(Operation, AuditChange), LedgerError> {
    let rest = format!("customer/{name}");
    let operation = match after {
        Some(record) => put(&rest, &CustomerDocument::from(record))?,
        None => Operation::Delete(key(&rest)?),
    };
    let value = |record: Option<&CustomerRecord>| {
        record.map_or(Value::Null, |it| serde_json::to_value(CustomerDocument::from(it)).unwrap_or_default())
    };
    let change = AuditChange {
        subject: format!("customer {name}"),
        action: if after.is_some() { "put" } else { "remove" }.to_owned(),
        customer: None,
        reasons: Vec::new(),
        differences: difference(&value(before), &value(after)),
    };
    Ok((operation, change))
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

fn audit_key(revision: u64) -> Result<Key, StoreError> {
    Key::new(format!("audit/{revision:020}"))
}

/// The entry itself, and what of it does not fit there.
pub(super) fn audit(entry: &AuditEntry) -> Result<(Operation, Vec<Operation>), LedgerError> {
    let AuditEntry { revision, at, actor, changes } = entry;
    let key = audit_key(revision.0)?;
    let mut chunks = changes.chunks(AUDIT_CHANGES_MAX);
    let changes = chunks.next().unwrap_or_default().to_vec();
    let parts = chunks.len();
    let document = AuditDocument { revision: revision.0, at: at.0, actor: actor.clone(), changes, parts };
    let others =
        chunks.zip(1..).map(|(chunk, part)| Ok(Operation::put(&part_key(&key, part)?, bytes(&chunk))));
    Ok((Operation::put(&key, bytes(&document)), others.collect::<Result<_, StoreError>>()?))
}

fn part_key(entry: &Key, part: usize) -> Result<Key, StoreError> {
    Key::new(format!("{entry}/{part:06}"))
}

/// Revisions follow each other without a gap, so the newest are found without listing all.
pub(super) async fn audit_entries(
    store: &dyn Store,
    newest: Revision,
    before: Option<Revision>,
    limit: usize,
) -> Result<Vec<AuditEntry>, LedgerError> {
    let mut revision = before.map_or(newest.0, |before| newest.0.min(before.0.saturating_sub(1)));
    let mut entries = Vec::new();
    while revision > 0 && entries.len() < limit {
        let key = audit_key(revision)?;
        if let Some(entry) = store.get(&key).await? {
            let AuditDocument { revision, at, actor, mut changes, parts } = read(key.as_str(), &entry.value)?;
            for part in 1..=parts {
                let key = part_key(&key, part)?;
                // Not there yet while its apply is being carried out.
                if let Some(entry) = store.get(&key).await? {
                    changes.extend(read::<Vec<AuditChange>>(key.as_str(), &entry.value)?);
                }
            }
            entries.push(AuditEntry { revision: Revision(revision), at: Wall(at), actor, changes });
        }
        revision -= 1;
    }
    Ok(entries)
}

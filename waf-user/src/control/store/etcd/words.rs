//! Our keys, guards, operations and entries in etcd's words and back, below a root of our own.

use etcd_client::{
    Compare, CompareOp, GetOptions, KeyValue, PutOptions, ResponseHeader, TxnOp, TxnOpResponse,
};

use super::{Entry, Found, Guard, Key, LeaseId, Operation, Prefix, Revision, StoreError};

#[derive(Clone)]
pub struct Words {
    root: Prefix,
}

impl Words {
    /// # Errors
    /// The root is none for a key.
    pub fn new(root: &str) -> Result<Self, StoreError> {
        Ok(Self { root: Prefix::new(root)? })
    }

    /// A key that we never write, to ask for nothing but a revision.
    pub fn root(&self) -> Vec<u8> {
        self.name("-")
    }

    /// A key, or the beginning or end of some.
    pub fn name(&self, text: &str) -> Vec<u8> {
        [self.root.as_str(), text].concat().into_bytes()
    }

    pub fn key(&self, name: &[u8]) -> Result<Key, StoreError> {
        let text = str::from_utf8(name).ok().and_then(|name| name.strip_prefix(self.root.as_str()));
        text.and_then(|text| Key::new(text).ok()).ok_or_else(|| StoreError::Corrupt {
            place: format!("etcd below {:?}", self.root.as_str()),
            what: format!("the key {:?}", String::from_utf8_lossy(name)),
        })
    }

    pub fn entry(&self, kv: &KeyValue) -> Result<Entry, StoreError> {
        Ok(Entry {
            key: self.key(kv.key())?,
            value: kv.value().to_vec(),
            created: Revision::from_signed(kv.create_revision()),
            modified: Revision::from_signed(kv.mod_revision()),
            lease: Some(kv.lease()).filter(|lease| *lease != 0).map(LeaseId),
        })
    }

    pub fn revision(&self, header: Option<&ResponseHeader>) -> Result<Revision, StoreError> {
        match header {
            Some(header) => Ok(Revision::from_signed(header.revision())),
            None => Err(StoreError::Corrupt {
                place: "etcd".to_owned(),
                what: "an answer without a header".to_owned(),
            }),
        }
    }

    pub fn compare(&self, guard: &Guard) -> Compare {
        // The revision of a key that is not there is 0.
        let revision = match guard {
            Guard::Absent(_) => 0,
            Guard::ModifiedAt(_, revision) => revision.signed(),
        };
        Compare::mod_revision(self.name(guard.key().as_str()), CompareOp::Equal, revision)
    }

    pub fn operation(&self, operation: &Operation) -> TxnOp {
        match operation {
            Operation::Put { key, value, lease } => {
                let options = lease.map(|lease| PutOptions::new().with_lease(lease.0));
                TxnOp::put(self.name(key.as_str()), value.clone(), options)
            }
            Operation::Delete(key) => TxnOp::delete(self.name(key.as_str()), None),
        }
    }

    /// How a guard's key was found, where a guard does not hold.
    pub fn look(&self, guard: &Guard) -> TxnOp {
        TxnOp::get(self.name(guard.key().as_str()), Some(GetOptions::new().with_keys_only()))
    }

    /// The first guard that does not hold.
    pub fn conflict(&self, guards: &[Guard], looked: &[TxnOpResponse]) -> StoreError {
        let found = |response: &TxnOpResponse| match response {
            TxnOpResponse::Get(get) => get.kvs().first().map(|kv| Revision::from_signed(kv.mod_revision())),
            _ => None,
        };
        for (guard, response) in guards.iter().zip(looked) {
            let expected = match guard {
                Guard::Absent(_) => Found::Absent,
                Guard::ModifiedAt(_, revision) => Found::ModifiedAt(*revision),
            };
            let found = Found::of(found(response));
            if found != expected {
                return StoreError::Conflict { key: guard.key().clone(), expected, found };
            }
        }
        StoreError::Corrupt { place: "etcd".to_owned(), what: "a refusal without a reason".to_owned() }
    }
}

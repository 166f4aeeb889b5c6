//! Entries that are replaced together, however many: each time they are written as a new generation, part by part, and
//! then one small entry, the head, is set to name it. Who reads sees the old generation or the new one, never a mixture;
//! a writer killed half-way leaves parts that nobody reads and the next writer clears away.
//!
//! ```text
//! <prefix>next            the next number to be claimed, so that two writers never share one
//! <prefix>head            "generation count swept": which one counts, how many parts it has, below which all is gone
//! <prefix><generation>/…  the parts
//! ```

use std::sync::Arc;

use super::limits::{OPERATIONS_MAX, TRANSACTION_BYTES_MAX};
use super::{Entry, Found, Guard, Key, Operation, Prefix, Revision, Store, StoreError, Transaction};

/// How often a reader begins again when generations are replaced under its hands: each time a writer has written two.
const READS_MAX: usize = 16;

/// Which generation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub generation: u64,
    /// Parts that it has.
    pub count: usize,
    /// The revision that set it: what the next writer's guard compares.
    pub modified: Revision,
    /// Of all generations below this one nothing is left.
    swept: u64,
}

/// Name of a part, and its bytes.
pub type Part = (String, Vec<u8>);

/// Generations below one prefix, which nobody else writes to.
#[derive(Clone)]
pub struct Series {
    store: Arc<dyn Store>,
    prefix: Prefix,
}

impl Series {
    /// `prefix` ends with a slash by custom.
    pub fn new(store: Arc<dyn Store>, prefix: Prefix) -> Self {
        Self { store, prefix }
    }

    /// The generation that counts; none before the first.
    ///
    /// # Errors
    /// The store's, and a head that no `waf` wrote.
    pub async fn head(&self) -> Result<Option<Head>, StoreError> {
        let entry = self.store.get(&self.head_key()?).await?;
        entry.as_ref().map(Head::read).transpose()
    }

    /// The parts of the generation that counts, in the order of their names.
    ///
    /// # Errors
    /// As [`Series::head`]; [`StoreError::Conflict`] where it was replaced again and again meanwhile.
    pub async fn read(&self) -> Result<Option<(Head, Vec<Part>)>, StoreError> {
        let mut head = self.head().await?;
        let mut first = head;
        for _ in 0..READS_MAX {
            let Some(counts) = head else { return Ok(None) };
            let prefix = self.parts(counts.generation)?;
            let listing = self.store.list(&prefix).await?;
            let again = self.head().await?;
            // The next but one writer sweeps this generation: it is whole as long as the head stayed.
            if again == head {
                if listing.entries.len() != counts.count {
                    let what = format!("{} parts instead of {}", listing.entries.len(), counts.count);
                    return Err(StoreError::Corrupt { place: prefix.to_string(), what });
                }
                let part =
                    |entry: Entry| (prefix.rest(&entry.key).unwrap_or_default().to_owned(), entry.value);
                return Ok(Some((counts, listing.entries.into_iter().map(part).collect())));
            }
            first = first.or(head);
            head = again;
        }
        let found = |head: Option<Head>| Found::of(head.map(|head| head.modified));
        Err(StoreError::Conflict { key: self.head_key()?, expected: found(first), found: found(head) })
    }

    /// Writes parts as a new generation and lets it count, if the head is still the one that was read. It costs one
    /// transaction per 128 parts or 1.25 MiB, and three more.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: another writer was first, whose generation counts; the store's. In both cases the
    /// generation that counted before the call is untouched.
    pub async fn replace(&self, read: Option<&Head>, parts: Vec<Part>) -> Result<Head, StoreError> {
        let generation = self.claim(read).await?;
        self.sweep(read).await?;
        let count = parts.len();
        let key = self.head_key()?;
        let guard = match read {
            Some(head) => Guard::ModifiedAt(key.clone(), head.modified),
            None => Guard::Absent(key.clone()),
        };
        self.write(&guard, generation, parts).await?;
        let swept = read.map_or(0, |head| head.generation);
        let put = Operation::put(&key, format!("{generation} {count} {swept}"));
        let modified = self.store.commit(Transaction::new(vec![guard], vec![put])?).await?;
        Ok(Head { generation, count, modified, swept })
    }

    /// A number that no other writer has. All below the head's belong to writers that are too late or gone.
    async fn claim(&self, read: Option<&Head>) -> Result<u64, StoreError> {
        let key = self.prefix.key("next")?;
        loop {
            let entry = self.store.get(&key).await?;
            let next = match &entry {
                Some(entry) => number(entry, text(entry)?)?,
                None => 1,
            };
            let claimed = next.max(read.map_or(1, |head| head.generation.saturating_add(1)));
            let value = claimed.saturating_add(1).to_string();
            match self.store.commit(Transaction::replace(&key, entry.as_ref(), value)?).await {
                Ok(_) => return Ok(claimed),
                // Another writer has it; each such round one of them goes on.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes what is older than the generation that counts.
    async fn sweep(&self, read: Option<&Head>) -> Result<(), StoreError> {
        let Some(head) = read else { return Ok(()) };
        for generation in head.swept..head.generation {
            let keys =
                self.store.list(&self.parts(generation)?).await?.entries.into_iter().map(|entry| entry.key);
            let deletions: Vec<Operation> = keys.map(Operation::Delete).collect();
            for chunk in deletions.chunks(OPERATIONS_MAX) {
                self.store.commit(Transaction::new(Vec::new(), chunk.to_vec())?).await?;
            }
        }
        Ok(())
    }

    /// Writes the parts, each transaction under the guard: a writer that is too late ends here, and leaves nothing behind
    /// the back of whoever sweeps.
    async fn write(&self, guard: &Guard, generation: u64, parts: Vec<Part>) -> Result<(), StoreError> {
        let prefix = self.parts(generation)?;
        let guarded = guard.key().as_str().len();
        let (mut chunk, mut bytes) = (Vec::new(), guarded);
        for (name, value) in parts {
            let key = prefix.key(name)?;
            let more = key.as_str().len() + value.len();
            if chunk.len() == OPERATIONS_MAX || bytes + more > TRANSACTION_BYTES_MAX {
                let transaction = Transaction::new(vec![guard.clone()], std::mem::take(&mut chunk))?;
                self.store.commit(transaction).await?;
                bytes = guarded;
            }
            bytes += more;
            chunk.push(Operation::put(&key, value));
        }
        if !chunk.is_empty() {
            self.store.commit(Transaction::new(vec![guard.clone()], chunk)?).await?;
        }
        Ok(())
    }

    fn head_key(&self) -> Result<Key, StoreError> {
        self.prefix.key("head")
    }

    fn parts(&self, generation: u64) -> Result<Prefix, StoreError> {
        Prefix::new(format!("{}{generation:020}/", self.prefix))
    }
}

impl Head {
    fn read(entry: &Entry) -> Result<Self, StoreError> {
        let mut words = text(entry)?.split(' ');
        let mut next = || number(entry, words.next().unwrap_or_default());
        let (generation, count, swept) = (next()?, next()?, next()?);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Self { generation, count, swept, modified: entry.modified })
    }
}

fn text(entry: &Entry) -> Result<&str, StoreError> {
    str::from_utf8(&entry.value).map_err(|_| corrupt(entry))
}

fn number(entry: &Entry, word: &str) -> Result<u64, StoreError> {
    word.parse().map_err(|_| corrupt(entry))
}

fn corrupt(entry: &Entry) -> StoreError {
    let what = format!("{:?}", String::from_utf8_lossy(&entry.value));
    StoreError::Corrupt { place: entry.key.to_string(), what }
}

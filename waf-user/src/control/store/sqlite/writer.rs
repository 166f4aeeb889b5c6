//! The one thread that writes: takes the jobs that wait, does them in one transaction of SQLite, each in a savepoint of
//! its own, and answers when the disk has them. Between jobs it ends leases whose time is over.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Savepoint, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::control::store::limits::BATCH_LEN_MAX;
use crate::control::store::{LeaseId, Revision, StoreError, Transaction};

use super::file::{Lock, Place};
use super::history::{self, HistoryBytes};
use super::leases::{self, Leases};
use super::{apply, read};

const DOING: &str = "write transactions";
/// How long leases wait after the file could not be written.
const RETRY_AFTER: Duration = Duration::from_secs(1);

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What one caller waits for.
pub struct Job(pub Work);

pub enum Work {
    Commit { transaction: Transaction, reply: Reply<Revision> },
    Grant { seconds: i64, reply: Reply<LeaseId> },
    KeepAlive { lease: LeaseId, reply: Reply<()> },
    Revoke { lease: LeaseId, reply: Reply<()> },
    Compact { upto: Revision, reply: Reply<()> },
}

/// An answer that is given when the disk has it.
enum Due {
    Revision(Reply<Revision>, Revision),
    Granted(Reply<LeaseId>, LeaseId, Duration),
    Done(Reply<()>),
    Ended(Reply<()>, LeaseId),
    Refused(Refusal),
}

/// Tells one caller why its job failed; for that reason, or for another that befell the whole batch. Only when the disk has
/// what was done before it in the batch: that may be the reason, and whoever hears of it looks there.
type Refusal = Box<dyn FnOnce(Option<StoreError>)>;

pub struct Writer {
    place: Arc<Place>,
    connection: Connection,
    leases: Leases,
    /// Leases are looked at no sooner, after a write that failed.
    retry_at: Option<Instant>,
    history: HistoryBytes,
    latest: watch::Sender<Revision>,
    /// Held as long as this lives.
    _lock: Lock,
}

impl Writer {
    /// # Errors
    /// SQLite's.
    pub fn new(place: Arc<Place>, connection: Connection, lock: Lock) -> Result<Self, StoreError> {
        let (revision, _) = read::head(&place, &connection)?;
        let leases = Leases::load(&place, &connection, Instant::now())?;
        let history = HistoryBytes::measure(&place, &connection)?;
        let (latest, _) = watch::channel(revision);
        Ok(Self { place, connection, leases, retry_at: None, history, latest, _lock: lock })
    }

    /// Hears of each revision that is on disk.
    pub fn latest(&self) -> watch::Receiver<Revision> {
        self.latest.subscribe()
    }

    /// Writes until the last sender of jobs is gone.
    pub fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        // Only to wait for a job or a deadline, whichever comes first: what blocks is this thread's business.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let Ok(runtime) = runtime else {
            tracing::error!("the store's thread cannot be set up");
            return;
        };
        runtime.block_on(async move {
            loop {
                let deadline = self.leases.next_deadline().max(self.retry_at);
                tokio::select! {
                    biased;
                    () = until(deadline) => self.end_leases(),
                    job = jobs.recv() => match job {
                        Some(job) => self.batch(job, &mut jobs),
                        None => return,
                    },
                }
            }
        });
    }

    fn batch(&mut self, first: Job, jobs: &mut mpsc::Receiver<Job>) {
        let mut batch = VecDeque::from([first]);
        while batch.len() < BATCH_LEN_MAX {
            let Ok(job) = jobs.try_recv() else { break };
            batch.push_back(job);
        }
        let mut due = Vec::with_capacity(batch.len());
        match self.write(&mut batch, &mut due) {
            Ok(()) => self.answer(due),
            Err(error) => refuse(batch, due, &error),
        }
    }

    /// Does a batch in one transaction of SQLite. Answers are left in `due`, jobs not yet come to in `batch`.
    fn write(&mut self, batch: &mut VecDeque<Job>, due: &mut Vec<Due>) -> Result<(), BatchError> {
        let place = Arc::clone(&self.place);
        let before = |source| BatchError::Before(Arc::new(place.error(DOING)(source)));
        let behavior = TransactionBehavior::Immediate;
        let mut outer = self.connection.transaction_with_behavior(behavior).map_err(before)?;
        let mut history = self.history;
        while !batch.is_empty() {
            let savepoint = outer.savepoint().map_err(before)?;
            let Some(Job(work)) = batch.pop_front() else { break };
            due.push(one(&place, savepoint, &mut self.leases, &mut history, work));
            // A full or failing disk makes SQLite undo all of it at once: then nothing may be done outside of it.
            if outer.is_autocommit() {
                return Err(BatchError::Before(Arc::new(StoreError::Undone {
                    path: place.path().to_owned(),
                })));
            }
        }
        if history::trim(&place, &outer, history).map_err(|error| BatchError::Before(Arc::new(error)))? {
            history =
                HistoryBytes::measure(&place, &outer).map_err(|error| BatchError::Before(Arc::new(error)))?;
        }
        outer.commit().map_err(|source| BatchError::Commit(Arc::new(source)))?;
        self.history = history;
        Ok(())
    }

    fn answer(&mut self, due: Vec<Due>) {
        let now = Instant::now();
        let mut latest = Revision(0);
        for due in due {
            // Whoever asked may have gone away: what is done stays done.
            match due {
                Due::Revision(reply, revision) => {
                    latest = latest.max(revision);
                    let _ = reply.send(Ok(revision));
                }
                Due::Granted(reply, lease, ttl) => {
                    self.leases.begin(lease, ttl, now);
                    let _ = reply.send(Ok(lease));
                }
                Due::Ended(reply, lease) => {
                    self.leases.end(lease);
                    let _ = reply.send(Ok(()));
                }
                Due::Done(reply) => drop(reply.send(Ok(()))),
                Due::Refused(refusal) => refusal(None),
            }
        }
        self.publish(latest);
    }

    fn publish(&self, at_least: Revision) {
        let (revision, _) = read::head(&self.place, &self.connection).unwrap_or((at_least, Revision(0)));
        self.latest.send_if_modified(|latest| {
            let is_new = revision > *latest;
            *latest = revision.max(*latest);
            is_new
        });
    }

    /// Removes the leases whose time is over, with their keys.
    fn end_leases(&mut self) {
        let over = self.leases.over(Instant::now());
        let place = Arc::clone(&self.place);
        let removed = (|| {
            let behavior = TransactionBehavior::Immediate;
            let outer = self.connection.transaction_with_behavior(behavior).map_err(place.error(DOING))?;
            for lease in &over {
                match leases::remove(&place, &outer, *lease) {
                    Ok(()) | Err(StoreError::LeaseGone(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            outer.commit().map_err(place.error(DOING))
        })();
        match removed {
            Ok(()) => {
                over.into_iter().for_each(|lease| self.leases.end(lease));
                self.retry_at = None;
            }
            Err(error) => {
                tracing::warn!(%error, "leases whose time is over are still in the store; trying again");
                self.retry_at = Some(Instant::now() + RETRY_AFTER);
            }
        }
        self.publish(Revision(0));
    }
}

/// Why a whole batch was not written.
enum BatchError {
    /// Nothing was changed.
    Before(Arc<StoreError>),
    /// The disk has all of it or nothing.
    Commit(Arc<rusqlite::Error>),
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// One job in its savepoint: kept where it succeeds, undone where it does not.
fn one(
    place: &Place,
    savepoint: Savepoint<'_>,
    leases: &mut Leases,
    history: &mut HistoryBytes,
    work: Work,
) -> Due {
    attempt(place, savepoint, leases, history, work).unwrap_or_else(Due::Refused)
}

fn attempt(
    place: &Place,
    savepoint: Savepoint<'_>,
    leases: &mut Leases,
    history: &mut HistoryBytes,
    work: Work,
) -> Result<Due, Refusal> {
    match work {
        Work::Commit { transaction, reply } => {
            let done = apply::apply(place, &savepoint, &transaction);
            let (reply, revision) = kept(place, savepoint, reply, done)?;
            history.add(&transaction);
            Ok(Due::Revision(reply, revision))
        }
        Work::Grant { seconds, reply } => {
            let granted = match leases.is_full() {
                true => Err(StoreError::TooManyLeases),
                false => leases::insert(place, &savepoint, seconds),
            };
            let (reply, lease) = kept(place, savepoint, reply, granted)?;
            Ok(Due::Granted(reply, lease, leases::ttl_of(seconds)))
        }
        Work::KeepAlive { lease, reply } => {
            let (reply, ()) = kept(place, savepoint, reply, leases.keep_alive(lease, Instant::now()))?;
            Ok(Due::Done(reply))
        }
        Work::Revoke { lease, reply } => {
            let removed = leases::remove(place, &savepoint, lease);
            let (reply, ()) = kept(place, savepoint, reply, removed)?;
            Ok(Due::Ended(reply, lease))
        }
        Work::Compact { upto, reply } => {
            let compacted = history::compact(place, &savepoint, upto)
                .and_then(|()| HistoryBytes::measure(place, &savepoint));
            let (reply, left) = kept(place, savepoint, reply, compacted)?;
            *history = left;
            Ok(Due::Done(reply))
        }
    }
}

/// Keeps a savepoint whose work succeeded; otherwise undoes it (by dropping it).
fn kept<T, R: 'static>(
    place: &Place,
    savepoint: Savepoint<'_>,
    reply: Reply<R>,
    done: Result<T, StoreError>,
) -> Result<(Reply<R>, T), Refusal> {
    let kept = done.and_then(|done| savepoint.commit().map(|()| done).map_err(place.error(DOING)));
    match kept {
        Ok(done) => Ok((reply, done)),
        Err(own) => Err(Box::new(move |of_batch| drop(reply.send(Err(of_batch.unwrap_or(own)))))),
    }
}

/// Answers a whole batch with the error that befell it.
fn refuse(batch: VecDeque<Job>, due: Vec<Due>, error: &BatchError) {
    for Job(work) in batch {
        match work {
            Work::Commit { reply, .. } => drop(reply.send(Err(error.told()))),
            Work::Grant { reply, .. } => drop(reply.send(Err(error.told()))),
            Work::KeepAlive { reply, .. } | Work::Revoke { reply, .. } | Work::Compact { reply, .. } => {
                drop(reply.send(Err(error.told())));
            }
        }
    }
    for due in due {
        match due {
            Due::Revision(reply, _) => drop(reply.send(Err(error.told()))),
            Due::Granted(reply, ..) => drop(reply.send(Err(error.told()))),
            Due::Done(reply) | Due::Ended(reply, _) => drop(reply.send(Err(error.told()))),
            Due::Refused(refusal) => refusal(Some(error.told())),
        }
    }
}

impl BatchError {
    /// The error once more, for each caller of the batch.
    fn told(&self) -> StoreError {
        match self {
            Self::Before(error) => match &**error {
                StoreError::Busy { path } => StoreError::Busy { path: path.clone() },
                _ => StoreError::Batch(Arc::clone(error)),
            },
            Self::Commit(source) => {
                StoreError::Uncertain { doing: DOING, source: Box::new(Arc::clone(source)) }
            }
        }
    }
}

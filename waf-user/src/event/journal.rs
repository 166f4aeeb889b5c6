//! The way from a worker to the log thread: a bounded queue that never blocks the sender.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::limits::{FLUSH_WITHIN, QUEUE_LEN_MAX, QUEUE_POLL};
use super::sink::Sink;
use super::writer::{self, Message};
use super::{Event, RequestRecord};

/// Why the logs cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("open log {path}")]
    Open { path: String, source: io::Error },
    #[error("start the log thread")]
    Thread { source: io::Error },
}

/// Who is told of lost records. Called from workers and from the log thread.
pub trait LossCounter: Send + Sync {
    fn requests_lost(&self, lines: u64);
    fn events_lost(&self, events: u64);
}

/// Handle of a worker; cheap to clone. The log thread ends when the last handle is gone.
#[derive(Clone)]
pub struct Journal {
    open: Option<Arc<Open>>,
}

struct Open {
    queue: SyncSender<Message>,
    writer: Thread,
    requests: bool,
    events: bool,
    losses: Arc<dyn LossCounter>,
    /// Put into the queue and not taken out yet.
    waiting: Arc<AtomicUsize>,
}

impl Journal {
    /// A journal that keeps nothing, for tests and for a node without logs.
    pub fn disabled() -> Self {
        Self { open: None }
    }

    /// Opens the logs that have a path (append, made 0640) and starts the log thread.
    ///
    /// # Errors
    /// A file cannot be opened, or no thread started.
    pub fn open(
        requests: Option<&Path>,
        events: Option<&Path>,
        losses: Arc<dyn LossCounter>,
    ) -> Result<Self, JournalError> {
        if requests.is_none() && events.is_none() {
            return Ok(Self::disabled());
        }
        let open = |path: &Path| {
            Sink::open(path).map_err(|source| JournalError::Open { path: path.display().to_string(), source })
        };
        let sinks = writer::Sinks {
            requests: requests.map(open).transpose()?,
            events: events.map(open).transpose()?,
            losses: Arc::clone(&losses),
        };
        let waiting = Arc::new(AtomicUsize::new(0));
        let taken = Arc::clone(&waiting);
        let (queue, messages) = mpsc::sync_channel(QUEUE_LEN_MAX);
        let writer = thread::Builder::new()
            .name("waf-log".into())
            .spawn(move || writer::run(&messages, sinks, &taken))
            .map_err(|source| JournalError::Thread { source })?;
        let writer = writer.thread().clone();
        let (requests, events) = (requests.is_some(), events.is_some());
        let open = Open { queue, writer, requests, events, losses, waiting };
        Ok(Self { open: Some(Arc::new(open)) })
    }

    /// Whether a request log is kept: without it no record need be made.
    pub fn wants_requests(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.requests)
    }

    /// Records that wait for the log thread.
    pub fn waiting(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.waiting.load(Relaxed))
    }

    /// Whether an event log is kept.
    pub fn wants_events(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.events)
    }

    /// Hot: per request. Queues a record; a full queue drops it and counts the loss.
    pub fn request(&self, record: RequestRecord) {
        let Some(open) = self.open.as_deref().filter(|open| open.requests) else { return };
        if open.try_send(Message::Request(Box::new(record))).is_err() {
            open.losses.requests_lost(1);
        }
    }

    /// Queues an event; a full queue drops it and counts the loss.
    pub fn event(&self, event: Event) {
        let Some(open) = self.open.as_deref().filter(|open| open.events) else { return };
        if open.try_send(Message::Event(Box::new(event))).is_err() {
            open.losses.events_lost(1);
        }
    }

    /// Opens the files anew by their paths: after a rotation has moved them. Waits for a place in the queue like
    /// [`Journal::flush`].
    pub fn reopen(&self) {
        if let Some(open) = &self.open
            && !open.send_by(Message::Reopen, Instant::now() + FLUSH_WITHIN)
        {
            tracing::error!("log thread is stuck: logs not reopened");
        }
    }

    /// Waits until everything queued so far is written, or `FLUSH_WITHIN` is over. Blocks: at the end of the process,
    /// and in tests, never in a worker. Returns whether it was written in time.
    pub fn flush(&self) -> bool {
        self.flush_within(FLUSH_WITHIN)
    }

    pub(super) fn flush_within(&self, within: Duration) -> bool {
        let Some(open) = &self.open else { return true };
        let deadline = Instant::now() + within;
        let (done, written) = mpsc::sync_channel(1);
        open.send_by(Message::Flush(done), deadline)
            && written.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok()
    }
}

impl Open {
    fn try_send(&self, message: Message) -> Result<(), TrySendError<Message>> {
        // Before the thread can take it: the count never goes below nothing.
        self.waiting.fetch_add(1, Relaxed);
        let sent = self.queue.try_send(message);
        if sent.is_err() {
            self.waiting.fetch_sub(1, Relaxed);
        }
        sent
    }

    /// Waits for a place in the queue. The channel has no such wait, and a plain `send` would wait for ever behind a
    /// log that is a pipe nobody reads.
    fn send_by(&self, mut message: Message, deadline: Instant) -> bool {
        loop {
            message = match self.try_send(message) {
                Ok(()) => {
                    self.writer.unpark();
                    return true;
                }
                Err(TrySendError::Full(message)) if Instant::now() < deadline => message,
                Err(_) => return false,
            };
            thread::sleep(QUEUE_POLL);
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("requests", &self.wants_requests())
            .field("events", &self.wants_events())
            .finish()
    }
}

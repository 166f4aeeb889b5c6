//! The log thread: records from the queue -> lines in the files. It alone formats and writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::thread;

use super::journal::LossCounter;
use super::limits::GATHER;
use super::sink::Sink;
use super::{Event, RequestRecord, line};

/// What the queue carries. Records are boxed: the queue's places are made at once, and small.
pub enum Message {
    Request(Box<RequestRecord>),
    Event(Box<Event>),
    Reopen,
    /// Answered when all before it is written.
    Flush(SyncSender<()>),
}

/// Where the lines go.
pub struct Sinks {
    pub requests: Option<Sink>,
    pub events: Option<Sink>,
    pub losses: Arc<dyn LossCounter>,
}

/// Runs until the last [`super::Journal`] handle is gone. `waiting`: what the queue holds.
pub fn run(messages: &Receiver<Message>, mut sinks: Sinks, waiting: &AtomicUsize) {
    let mut line = Vec::new();
    loop {
        let message = match messages.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => break,
            // Nothing waits: write what there is, then sleep.
            Err(TryRecvError::Empty) => {
                sinks.write_all();
                let Ok(message) = messages.recv() else { break };
                waiting.fetch_sub(1, Relaxed);
                sinks.take(message, &mut line);
                // Whoever cannot wait for the next ones unparks us.
                thread::park_timeout(GATHER);
                continue;
            }
        };
        waiting.fetch_sub(1, Relaxed);
        sinks.take(message, &mut line);
    }
    sinks.write_all();
}

impl Sinks {
    fn take(&mut self, message: Message, line: &mut Vec<u8>) {
        line.clear();
        match message {
            Message::Request(record) => {
                line::request(&record, line);
                if self.requests.as_mut().is_some_and(|sink| sink.add(line)) {
                    self.write_requests();
                }
            }
            Message::Event(event) => {
                line::event(&event, line);
                if self.events.as_mut().is_some_and(|sink| sink.add(line)) {
                    self.write_events();
                }
            }
            Message::Reopen => {
                self.write_all();
                for sink in self.requests.iter_mut().chain(&mut self.events) {
                    if let Err(error) = sink.reopen() {
                        tracing::error!(path = %sink.path().display(), %error, "log not reopened, old file kept");
                    }
                }
            }
            Message::Flush(done) => {
                self.write_all();
                // Who asked may have stopped waiting.
                let _answered = done.try_send(());
            }
        }
    }

    fn write_all(&mut self) {
        self.write_requests();
        self.write_events();
    }

    fn write_requests(&mut self) {
        if let Some(lost) = self.requests.as_mut().and_then(write) {
            self.losses.requests_lost(lost);
        }
    }

    fn write_events(&mut self) {
        if let Some(lost) = self.events.as_mut().and_then(write) {
            self.losses.events_lost(lost);
        }
    }
}

/// Returns the number of lines lost. One log line a batch, not a record: a full disk must not flood the operator's log.
fn write(sink: &mut Sink) -> Option<u64> {
    let (lost, error) = sink.write().err()?;
    tracing::error!(path = %sink.path().display(), lost, %error, "log lines lost");
    Some(lost)
}

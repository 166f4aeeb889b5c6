//! The end of a node that serves: what is new is refused where the next carrier is tried at once, what is under way is
//! finished.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::standing::{Phase, Standing};
use crate::proxy::{Command, Drain};

/// Requests under way get this long when the node ends; systemd's own patience is 90 s.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(10);
/// After a take-over nobody waits for us: long downloads get their minute.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(60);
/// Handshakes under way when SOCKETS changed: the first repetition of a lost packet comes after 1 s.
const HANDSHAKES: Duration = Duration::from_secs(2);
/// Kept connections are told with their next answer that it is the last; visitors who read a page take seconds.
const LAST_REQUEST: Duration = Duration::from_secs(5);
/// What a worker may take beyond its time before it is left behind.
const GRACE: Duration = Duration::from_secs(1);

/// Why a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Somebody said so.
    Stopped,
    /// Another process serves.
    HandedOver,
}

/// Until every worker is gone or left behind.
pub(super) async fn drain(
    ending: Ending,
    standing: &Standing,
    commands: &[mpsc::Sender<Command>],
    waiting: &mut Vec<JoinHandle<()>>,
) {
    standing.facts.phase.set(Phase::Draining);
    // Ours no longer after a take-over; then this writes nothing.
    standing.enforcer.borrow().refuse_new();
    // With our second handles of them the workers' sockets would stay open.
    standing.sockets.borrow_mut().clear();
    let drain = order(ending, standing.settings.borrow().interface.is_some());
    tracing::info!(within_s = drain.within.as_secs(), "node drains");
    let deadline = Instant::now() + drain.within + GRACE;
    tell(commands, drain, deadline).await;
    left_behind(waiting, deadline).await;
}

/// Ends a drain that is under way: what is still open is cut off, and told of.
pub(super) async fn cut_off(commands: &[mpsc::Sender<Command>], waiting: &mut Vec<JoinHandle<()>>) {
    let deadline = Instant::now() + GRACE;
    tell(commands, Drain::at_once(Duration::ZERO), deadline).await;
    left_behind(waiting, deadline).await;
}

/// A worker that takes no command by the deadline is left behind; one that is gone needs none.
async fn tell(commands: &[mpsc::Sender<Command>], drain: Drain, deadline: Instant) {
    for worker in commands {
        let _ = tokio::time::timeout_at(deadline, worker.send(Command::Drain(drain))).await;
    }
}

async fn left_behind(waiting: &mut Vec<JoinHandle<()>>, deadline: Instant) {
    while let Some(ended) = waiting.last_mut() {
        if tokio::time::timeout_at(deadline, ended).await.is_err() {
            tracing::warn!("worker left behind: it did not drain in time");
        }
        waiting.pop();
    }
}

/// Without the kernel half the new process has our very sockets: what waits in them is served there.
fn order(ending: Ending, is_filtered: bool) -> Drain {
    match ending {
        Ending::Stopped => Drain::at_once(STOP_WITHIN),
        Ending::HandedOver => Drain {
            within: HANDED_OVER_WITHIN,
            accept: if is_filtered { HANDSHAKES } else { Duration::ZERO },
            idle: LAST_REQUEST,
        },
    }
}

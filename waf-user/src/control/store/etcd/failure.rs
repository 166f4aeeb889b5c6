//! What a failed call to etcd means: whether it was carried out, whether to try again, and for how long.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use etcd_client::Error;
use tokio::time::Instant;

use crate::control::store::error::BoxError;

/// How long calls are tried again: an election under load, and one call that got no answer.
const RETRY_WITHIN: Duration = Duration::from_secs(20);
/// Between two tries: short beside an election.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// Status numbers of gRPC.
const INVALID_ARGUMENT: i32 = 3;
const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const FAILED_PRECONDITION: i32 = 9;
const OUT_OF_RANGE: i32 = 11;
const UNAUTHENTICATED: i32 = 16;

/// Whether a failed call may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It was not, and will not be if tried again: a member says so.
    Refused,
    /// It was not, or does not matter: another try may succeed.
    Passing,
    /// Nobody knows.
    Uncertain,
}

pub struct Failure {
    error: Error,
    outcome: Outcome,
}

impl Failure {
    /// Of a call that may be carried out twice.
    pub fn of_read(error: Error) -> Self {
        let outcome = match status(&error) {
            Some(code) if is_refusal(code) => Outcome::Refused,
            _ => Outcome::Passing,
        };
        Self { error, outcome }
    }

    /// Of a call that must not be carried out twice.
    pub fn of_write(error: Error) -> Self {
        let outcome = match status(&error) {
            Some(code) if is_refusal(code) => Outcome::Refused,
            _ if is_unsent(&error) => Outcome::Passing,
            _ => Outcome::Uncertain,
        };
        Self { error, outcome }
    }

    pub fn is_uncertain(&self) -> bool {
        self.outcome == Outcome::Uncertain
    }

    /// What was asked for (a lease) is not there.
    pub fn is_not_found(&self) -> bool {
        status(&self.error) == Some(NOT_FOUND)
    }

    /// The revision is compacted, or of the future.
    pub fn is_out_of_range(&self) -> bool {
        status(&self.error) == Some(OUT_OF_RANGE)
    }

    pub fn into_source(self) -> BoxError {
        Box::new(self.error)
    }
}

/// Tries of one call.
pub struct Retry {
    until: Instant,
}

impl Retry {
    pub fn new() -> Self {
        Self { until: Instant::now() + RETRY_WITHIN }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// The failure itself, where another try is of no use or the time is over.
    pub async fn wait(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.outcome != Outcome::Passing || Instant::now() >= self.until {
            return Err(failure);
        }
        tokio::time::sleep(RETRY_EVERY).await;
        Ok(())
    }
}

fn status(error: &Error) -> Option<i32> {
    match error {
        Error::GRpcStatus(status) => Some(i32::from(status.code())),
        _ => None,
    }
}

/// Whether a member says that it did not and will not.
fn is_refusal(code: i32) -> bool {
    let refusals = [
        INVALID_ARGUMENT,
        NOT_FOUND,
        PERMISSION_DENIED,
        RESOURCE_EXHAUSTED,
        FAILED_PRECONDITION,
        OUT_OF_RANGE,
        UNAUTHENTICATED,
    ];
    refusals.contains(&code)
}

/// Whether no member can have got it, for there was no connection.
fn is_unsent(error: &Error) -> bool {
    let mut cause = match error {
        Error::GRpcStatus(status) => status.source(),
        Error::TransportError(error) => error.source(),
        _ => None,
    };
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(
            kind,
            Some(
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            )
        ) {
            return true;
        }
        cause = error.source();
    }
    false
}

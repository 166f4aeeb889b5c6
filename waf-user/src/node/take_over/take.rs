//! The new process's side: asks the one that serves, and tells it when it may go.

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::super::control::{Reply, Request};
use super::super::control_sock;
use super::{Handed, pass};

/// The old process only leaves its listeners meanwhile.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Why nothing was taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    #[error("no node answers on {path}: start one without --take-over")]
    Nobody { path: std::path::PathBuf },
    #[error("ask the running node")]
    Ask(#[source] io::Error),
    #[error("the running node refuses: {0}")]
    Refused(String),
    #[error("the running node has taken back what it handed over")]
    TakenBack(#[source] io::Error),
}

/// A conversation in which the old process waits for us to serve. Dropped before [`Taken::confirm`], it serves on.
pub struct Taken {
    stream: UnixStream,
    pub handed: Handed,
    pub sockets: Vec<TcpListener>,
}

/// Asks the node of a state directory. Blocks.
///
/// # Errors
/// See [`TakeOverError`].
pub fn ask(state_dir: &Path) -> Result<Taken, TakeOverError> {
    let path = control_sock::path(state_dir);
    let mut stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Err(TakeOverError::Nobody { path });
        }
        Err(error) => return Err(TakeOverError::Ask(error)),
    };
    stream.set_read_timeout(Some(ANSWER_WITHIN)).map_err(TakeOverError::Ask)?;
    stream.set_write_timeout(Some(ANSWER_WITHIN)).map_err(TakeOverError::Ask)?;
    say(&mut stream, &Request::TakeOver {}).map_err(TakeOverError::Ask)?;
    let (line, sockets) = pass::receive(&stream).map_err(TakeOverError::Ask)?;
    match serde_json::from_slice(&line) {
        Ok(Reply::HandedOver(handed)) => Ok(Taken { stream, handed, sockets }),
        Ok(Reply::Refused { error }) => Err(TakeOverError::Refused(error)),
        Ok(other) => Err(TakeOverError::Refused(format!("an answer out of place: {other:?}"))),
        Err(error) => Err(TakeOverError::Ask(error.into())),
    }
}

impl Taken {
    /// Tells the old process that we serve. From here on it may not take anything back. Blocks.
    ///
    /// # Errors
    /// It did not wait: then it serves, and we must not.
    pub fn confirm(mut self) -> Result<(), TakeOverError> {
        say(&mut self.stream, &Request::Serving {}).map_err(TakeOverError::TakenBack)?;
        let (line, _) = pass::receive(&self.stream).map_err(TakeOverError::TakenBack)?;
        match serde_json::from_slice(&line) {
            Ok(Reply::Done {}) => Ok(()),
            Ok(other) => Err(TakeOverError::Refused(format!("an answer out of place: {other:?}"))),
            Err(error) => Err(TakeOverError::TakenBack(error.into())),
        }
    }
}

fn say(stream: &mut UnixStream, request: &Request) -> io::Result<()> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)
}

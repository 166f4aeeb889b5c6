//! `<state_dir>/control.sock`: one line of JSON in, one line out, for uid 0 and the node's own uid. What the lines mean
//! is [`super::control`]'s matter.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::geteuid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::NodeError;
use super::control::{self, Control, Reply, Request};
use crate::model::Mono;

/// File name in the state directory.
const FILE: &str = "control.sock";
/// A ban request has some 150 bytes.
const REQUEST_BYTES_MAX: usize = 4096;
/// 65,536 bans, as many repeaters and as many counted sources, of some 150 bytes each.
pub(super) const REPLY_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Operators come one at a time; scripts a few.
const CLIENTS_MAX: usize = 16;
/// A client on the same machine that takes longer has hung.
const CLIENT_WITHIN: Duration = Duration::from_secs(5);
/// Reading and compiling a configuration of thousands of tenants.
const RELOAD_WITHIN: Duration = Duration::from_secs(300);

/// Where a node's socket lies.
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join(FILE)
}

/// The listening socket; its file goes with it.
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Call inside the node's runtime. A file that nobody answers on is replaced.
    ///
    /// # Errors
    /// A node answers there, or the file cannot be made.
    pub fn bind(state_dir: &Path) -> Result<Self, NodeError> {
        let path = path(state_dir);
        let failed = |source| NodeError::ControlSocket { path: path.clone(), source };
        match net::UnixStream::connect(&path) {
            Ok(_answered) => return Err(NodeError::Running(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(&path).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        // The state directory is closed to others, so nobody slips in before this.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path })
    }

    /// Serves for ever. Call within a `LocalSet`.
    pub async fn serve(self, control: Control) {
        let control = Rc::new(control);
        let places = Arc::new(Semaphore::new(CLIENTS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of descriptors: the next accept would fail as fast.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let control = Rc::clone(&control);
            tokio::task::spawn_local(async move {
                if let Err(error) = serve_one(stream, &control).await {
                    tracing::debug!(%error, "client of control.sock left early");
                }
                drop(place);
            });
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Left behind it would only be found stale.
        let _ = fs::remove_file(&self.path);
    }
}

async fn serve_one(mut stream: UnixStream, control: &Control) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    if uid != 0 && uid != geteuid().as_raw() {
        return write(&mut stream, &Reply::Refused { error: format!("uid {uid} may not command this node") })
            .await;
    }
    let line = timed(read_line(&mut stream)).await?;
    let request = match line {
        Some(line) => control::parse(&line),
        None => Err(format!("a request is one line of at most {REQUEST_BYTES_MAX} bytes")),
    };
    let reply = match request {
        Ok(Request::TakeOver {}) => {
            control.hand(stream).await;
            return Ok(());
        }
        Ok(request) => control.answer(request, Mono::now()).await,
        Err(error) => Reply::Refused { error },
    };
    write(&mut stream, &reply).await
}

/// Sends one reply.
///
/// # Errors
/// The client is gone or does not read.
pub(super) async fn write(stream: &mut UnixStream, reply: &Reply) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(reply)?;
    bytes.push(b'\n');
    timed(stream.write_all(&bytes)).await
}

async fn timed<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(CLIENT_WITHIN, work).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// One line without its end; nothing where it is too long or unfinished.
pub(super) async fn read_line(stream: &mut UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut chunk = [0; 512];
    loop {
        let len = stream.read(&mut chunk).await?;
        let read = chunk.get(..len).unwrap_or(&[]);
        if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            line.extend_from_slice(read.get(..end).unwrap_or(&[]));
            return Ok((line.len() <= REQUEST_BYTES_MAX).then_some(line));
        }
        line.extend_from_slice(read);
        if len == 0 || line.len() > REQUEST_BYTES_MAX {
            return Ok(None);
        }
    }
}

/// The client's side: asks the node of a state directory. Blocks.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` where no node runs; anything else where one does.
pub fn ask(state_dir: &Path, request: &Request) -> io::Result<Reply> {
    let mut stream = net::UnixStream::connect(path(state_dir))?;
    let work = matches!(request, Request::Reload { .. });
    stream.set_read_timeout(Some(if work { RELOAD_WITHIN } else { CLIENT_WITHIN }))?;
    stream.set_write_timeout(Some(CLIENT_WITHIN))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = Vec::new();
    BufReader::new(io::Read::take(stream, REPLY_BYTES_MAX)).read_until(b'\n', &mut reply)?;
    Ok(serde_json::from_slice(&reply)?)
}

#[cfg(test)]
mod tests;

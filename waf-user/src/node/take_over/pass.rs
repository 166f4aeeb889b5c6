//! Listening sockets from one process to another over a UNIX socket (unix(7), SCM_RIGHTS). They come with spaces in front
//! of a line of JSON, so that one reader gets both.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::super::control_sock::REPLY_BYTES_MAX;

/// Sockets in one message; the kernel takes at most 253 (SCM_MAX_FD).
const SOCKETS_MAX: usize = 64;
/// Room for their numbers.
const CONTROL_BYTES: usize = rustix::cmsg_space!(ScmRights(SOCKETS_MAX));

/// Sends the sockets; the line is to follow.
///
/// # Errors
/// The other side is gone.
pub async fn send(stream: &UnixStream, sockets: &[&TcpListener]) -> io::Result<()> {
    for batch in sockets.chunks(SOCKETS_MAX) {
        let batch: Vec<BorrowedFd<'_>> = batch.iter().map(|socket| socket.as_fd()).collect();
        let once = || {
            let mut room = [MaybeUninit::uninit(); CONTROL_BYTES];
            let mut control = SendAncillaryBuffer::new(&mut room);
            control.push(SendAncillaryMessage::ScmRights(&batch));
            Ok(sendmsg(stream.as_fd(), &[IoSlice::new(b" ")], &mut control, SendFlags::NOSIGNAL)?)
        };
        stream.async_io(Interest::WRITABLE, once).await?;
    }
    Ok(())
}

/// Receives one line without its end, and the sockets in front of it. Blocks up to the stream's read timeout.
///
/// # Errors
/// The other side is gone or silent, or the line never ends.
pub fn receive(stream: &net::UnixStream) -> io::Result<(Vec<u8>, Vec<TcpListener>)> {
    let (mut line, mut sockets) = (Vec::new(), Vec::new());
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let mut room = [MaybeUninit::uninit(); CONTROL_BYTES];
        let mut control = RecvAncillaryBuffer::new(&mut room);
        let read =
            recvmsg(stream, &mut [IoSliceMut::new(&mut chunk)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(passed) = message {
                sockets.extend(passed.map(|socket: OwnedFd| TcpListener::from(socket)));
            }
        }
        let bytes = chunk.get(..read.bytes).unwrap_or(&[]);
        line.extend_from_slice(bytes);
        if line.last() == Some(&b'\n') {
            line.pop();
            return Ok((line, sockets));
        }
        if bytes.is_empty() || line.len() as u64 > REPLY_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

//! One request and its answer over two connections: the client's body goes up while the origin's answer comes down, piece
//! by piece, each side stopping the other by not reading. The answer's phases are inspected on the way.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::Site;
use super::buffers::Buffers;
use super::forwarding::{DownstreamBody, downstream_head};
use super::halves::Half;
use super::inspect::Inspection;
use super::limits::{INTERIM_MAX, ORIGIN_LAST_WORD, Times};
use super::wait::Alarm;
use super::wire::{Body, BodyError, Inbound, send};
use crate::http::{
    Framing, LAST_CHUNK, Limits, Parsed, RequestHead, ResponseHead, ResponseParser, Violation, write_chunk,
};

/// What is to be relayed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub head: &'a RequestHead,
    pub site: &'a Site,
    /// Upstream head and what of the body is already here, as it goes out.
    pub first: &'a [u8],
    /// The rest of the body goes out in chunks.
    pub chunked: bool,
    /// The client's connection may live on.
    pub keep: bool,
    pub times: Times,
    pub buffers: &'a Buffers,
}

/// The client's connection in two halves.
#[derive(Debug)]
pub(super) struct Client<R, W> {
    pub read: R,
    pub write: W,
    pub inbound: Inbound,
    /// For the waits between requests.
    pub idle: Alarm,
    /// For the waits for an origin.
    pub answer: Alarm,
}

/// How it ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relayed {
    Sent {
        status: u16,
        keep_client: bool,
        keep_origin: bool,
        /// From the answer's head to its being sent on, less the waits for a body held back.
        added: Duration,
    },
    /// The rules refused the answer; nothing of it was sent.
    Refused,
}

/// Which side broke, and how.
#[derive(Debug, thiserror::Error)]
pub(super) enum RelayError {
    /// Before any byte of an answer: over a reused connection this may just have been its end.
    #[error("wait for the origin's answer: it closed the connection")]
    OriginSilent,
    #[error("wait for the origin's answer")]
    OriginTimeout,
    #[error("read the origin's answer: {}", .0.text())]
    OriginMalformed(Violation),
    #[error("read the origin's answer")]
    OriginRead(#[source] io::Error),
    #[error("send the request's body on")]
    ClientBody(#[source] BodyError),
    #[error("send the answer to the client")]
    ClientWrite(#[source] io::Error),
}

impl From<BodyError> for RelayError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Malformed(violation) => Self::OriginMalformed(violation),
            BodyError::Timeout => Self::OriginTimeout,
            BodyError::Read(source) => Self::OriginRead(source),
        }
    }
}

/// A relay that broke. `status`: of the answer whose head was already sent.
#[derive(Debug)]
pub(super) struct Broken {
    pub error: RelayError,
    pub status: Option<u16>,
}

impl Broken {
    fn before(error: impl Into<RelayError>) -> Self {
        Self { error: error.into(), status: None }
    }
}

/// Relays one request.
///
/// # Errors
/// See [`Broken`]; both connections are then to be closed.
pub(super) async fn relay<R, W, O>(
    job: Job<'_>,
    client: &mut Client<R, W>,
    body: &mut Body,
    origin: &mut O,
    inspection: &mut Inspection,
) -> Result<Relayed, Broken>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    O: AsyncRead + AsyncWrite + Unpin,
{
    let origin = RefCell::new(origin);
    let (mut origin_read, mut origin_write) = (Half(&origin), Half(&origin));
    let mut inbound = Inbound::within(job.buffers.take());
    let Client { read, write, inbound: client_inbound, answer: alarm, .. } = client;
    let upload = pin!(upload(job, body, client_inbound, read, &mut origin_write));
    let mut upload = Upload { future: upload, ended: None };
    let head =
        answer_head(job, &mut upload, &mut inbound, &mut origin_read, alarm).await.map_err(Broken::before)?;
    let keep_origin = head.keeps_alive();
    let status = head.status();
    // An answer that comes before the whole request was read may well be all that the origin wants of it.
    let job = Job { keep: job.keep && matches!(upload.ended, Some(Ok(()))), ..job };
    let relayed = {
        let answer = pin!(answer(job, head, &mut inbound, &mut origin_read, write, inspection));
        upload.beside(answer).await.map_err(|error| Broken { error, status: Some(status) })??
    };
    let uploaded = matches!(upload.ended, Some(Ok(())));
    let keep_origin = keep_origin && uploaded && inbound.bytes().is_empty();
    job.buffers.give(inbound.into_buffer());
    Ok(match relayed {
        Relayed::Sent { status, keep_client, added, .. } => {
            Relayed::Sent { status, added, keep_client, keep_origin }
        }
        Relayed::Refused => Relayed::Refused,
    })
}

/// Why the request's body did not get through.
#[derive(Debug)]
enum UploadError {
    Client(BodyError),
    /// The origin reads no more; it may still say why.
    Origin,
}

/// The way up, driven beside whatever the way down does.
struct Upload<'a, F> {
    future: Pin<&'a mut F>,
    ended: Option<Result<(), UploadError>>,
}

impl<F: Future<Output = Result<(), UploadError>>> Upload<'_, F> {
    /// Drives both until `down` ends.
    ///
    /// # Errors
    /// The client's body broke: then nothing that comes down is worth anything.
    async fn beside<T>(&mut self, mut down: Pin<&mut impl Future<Output = T>>) -> Result<T, RelayError> {
        loop {
            tokio::select! {
                biased;
                ended = self.future.as_mut(), if self.ended.is_none() => self.end(ended)?,
                done = down.as_mut() => return Ok(done),
            }
        }
    }

    fn end(&mut self, ended: Result<(), UploadError>) -> Result<(), RelayError> {
        if let Err(UploadError::Client(error)) = ended {
            return Err(RelayError::ClientBody(error));
        }
        self.ended = Some(ended);
        Ok(())
    }
}

async fn upload(
    job: Job<'_>,
    body: &mut Body,
    inbound: &mut Inbound,
    client: &mut (impl AsyncRead + Unpin),
    origin: &mut (impl AsyncWrite + Unpin),
) -> Result<(), UploadError> {
    job.site.allowance.passed(job.first.len());
    send(origin, job.first).await.map_err(|_| UploadError::Origin)?;
    let (mut piece, mut chunk) = (Vec::new(), Vec::new());
    while !body.is_done() {
        piece.clear();
        body.next(inbound, client, &mut piece).await.map_err(UploadError::Client)?;
        job.site.allowance.passed(piece.len());
        if !job.chunked {
            send(origin, &piece).await.map_err(|_| UploadError::Origin)?;
            continue;
        }
        chunk.clear();
        write_chunk(&mut chunk, &piece);
        if body.is_done() {
            chunk.extend_from_slice(LAST_CHUNK);
        }
        send(origin, &chunk).await.map_err(|_| UploadError::Origin)?;
    }
    Ok(())
}

/// Waits for the head of the answer. The time runs from the end of the upload: until then the client is what is waited for.
async fn answer_head<F: Future<Output = Result<(), UploadError>>>(
    job: Job<'_>,
    upload: &mut Upload<'_, F>,
    inbound: &mut Inbound,
    origin: &mut (impl AsyncRead + Unpin),
    alarm: &mut Alarm,
) -> Result<ResponseHead, RelayError> {
    let mut head = pin!(read_head(job.head.method(), inbound, origin));
    loop {
        tokio::select! {
            biased;
            ended = upload.future.as_mut(), if upload.ended.is_none() => {
                let wait = if ended.is_ok() { job.times.origin_first_byte } else { ORIGIN_LAST_WORD };
                upload.end(ended)?;
                alarm.set(wait);
            }
            head = head.as_mut() => return head,
            () = poll_fn(|cx| alarm.poll(cx)), if upload.ended.is_some() => return Err(RelayError::OriginTimeout),
        }
    }
}

async fn read_head(
    method: &str,
    inbound: &mut Inbound,
    origin: &mut (impl AsyncRead + Unpin),
) -> Result<ResponseHead, RelayError> {
    let mut parser = ResponseParser::new(Limits::default(), method);
    let mut answered = false;
    let mut interim = 0;
    loop {
        match parser.parse(inbound.bytes()).map_err(RelayError::OriginMalformed)? {
            Parsed::Complete(head, consumed) => {
                inbound.consume(consumed);
                if !head.is_interim() {
                    return Ok(head);
                }
                interim += 1;
                if interim > INTERIM_MAX {
                    return Err(RelayError::OriginMalformed(Violation::StatusUnexpected));
                }
                parser = ResponseParser::new(Limits::default(), method);
            }
            Parsed::Partial => match inbound.fill(origin).await {
                Ok(0) | Err(_) if !answered => return Err(RelayError::OriginSilent),
                Ok(0) => return Err(RelayError::OriginMalformed(Violation::Truncated)),
                Err(source) => return Err(RelayError::OriginRead(source)),
                Ok(_) => answered = true,
            },
        }
    }
}

/// The way down: phase 3, phase 4 with the body held back if the rules want it, then everything as it comes.
async fn answer(
    job: Job<'_>,
    head: ResponseHead,
    inbound: &mut Inbound,
    origin: &mut (impl AsyncRead + Unpin),
    client: &mut (impl AsyncWrite + Unpin),
    inspection: &mut Inspection,
) -> Result<Relayed, Broken> {
    let status = head.status();
    let arrived = Instant::now();
    inspection.response_head(&head).await;
    if inspection.refusal().is_some() {
        return Ok(Relayed::Refused);
    }
    let mut body = Body::of_response(head.framing(), job.times.origin_idle);
    let mut held = Vec::new();
    // A part of a resource means nothing to rules about the whole (206).
    let inspected = status != 206 && inspection.wants_response_body();
    if inspected {
        let limit = inspection.response_body_limit();
        while !body.is_done() && held.len() <= limit {
            body.next(inbound, origin, &mut held).await.map_err(Broken::before)?;
        }
    }
    // Phase 4 runs in any case: its rules look at the status, at fields and at scores too.
    inspection.response_body(&held).await;
    if inspection.refusal().is_some() {
        return Ok(Relayed::Refused);
    }
    if !inspected {
        body.decode(inbound, &mut held).map_err(Broken::before)?;
    }
    let version = job.head.version();
    let downstream = match head.framing() {
        Framing::Chunked | Framing::UntilClose if inspected && body.is_done() => {
            DownstreamBody::Length(held.len() as u64)
        }
        framing => DownstreamBody::of(framing, version),
    };
    let keep = job.keep && downstream != DownstreamBody::UntilClose;
    let mut out =
        downstream_head(job.buffers.take(), &head, &job.site.response_headers, downstream, version, keep);
    let chunked = downstream == DownstreamBody::Chunked;
    let added = arrived.elapsed().saturating_sub(body.waited());
    let broken = |error: RelayError| Broken { error, status: Some(status) };
    loop {
        if chunked {
            write_chunk(&mut out, &held);
            if body.is_done() {
                out.extend_from_slice(LAST_CHUNK);
            }
        } else {
            out.extend_from_slice(&held);
        }
        job.site.allowance.passed(out.len());
        send(client, &out).await.map_err(|source| broken(RelayError::ClientWrite(source)))?;
        if body.is_done() {
            job.buffers.give(out);
            return Ok(Relayed::Sent { status, keep_client: keep, keep_origin: false, added });
        }
        out.clear();
        held.clear();
        body.next(inbound, origin, &mut held).await.map_err(|error| broken(error.into()))?;
    }
}

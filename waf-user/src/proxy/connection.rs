//! One client connection from accept to close: lists, TLS, then request after request.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::account::{Account, Ending, Fault, connection_cut, connection_refused};
use super::exchange::{self, After};
use super::halves::Half;
use super::limits::{LINGER, LINGER_BYTES_MAX, READ_BYTES};
use super::page::Page;
use super::registry::{Cut, Entry, Open};
use super::relay::Client;
use super::session::Session;
use super::wait::Alarm;
use super::wire::{Inbound, send};
use super::worker::Worker;
use super::{ListVerdict, Snapshot};
use crate::event::{Reason, Stage};
use crate::http::{Limits, Parsed, RequestHead, RequestParser, Violation};
use crate::model::{Mono, TenantId, Wall};
use crate::telemetry::RequestVerdict;
use crate::tls::{HandshakeError, TlsStream};

/// Serves a connection to its end, or until a ban covers it.
pub(super) async fn run(
    worker: Rc<Worker>,
    entry: Entry,
    stream: TcpStream,
    (peer, local): (SocketAddr, SocketAddr),
) {
    let _counted = Counted::new(&worker, entry.open());
    serve(&worker, entry.open(), stream, peer, local).await;
}

/// Counts a connection as open until it is dropped, by whatever end.
struct Counted<'a> {
    worker: &'a Worker,
    open: &'a Open,
}

impl<'a> Counted<'a> {
    fn new(worker: &'a Worker, open: &'a Open) -> Self {
        worker.metrics.connection_opened(worker.index);
        Self { worker, open }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.worker.metrics.connection_closed(self.worker.index);
        if self.open.is_told() {
            self.worker.metrics.flow_closed();
        }
    }
}

async fn serve(worker: &Worker, open: &Open, stream: TcpStream, peer: SocketAddr, local: SocketAddr) {
    let snapshot = worker.snapshot.load_full();
    let session = Session::new(peer, local, None);
    let tenant = snapshot.sites.sole_tenant(session.local);
    if let Some(tenant) = tenant {
        worker.belongs_to(open, tenant);
    } else if let Some(flows) = &worker.flows {
        open.tells(Arc::clone(flows));
    }
    if is_listed(worker, &session, tenant) {
        return;
    }
    // A request is one packet more often than not, and the answer's head must not wait for its body.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    if !snapshot.sites.is_tls(session.local) {
        return requests(worker, open, session, stream).await;
    }
    tokio::select! {
        biased;
        cut = open.closed() => connection_cut(worker, &Session::new(peer, local, None), &cut),
        shaken = handshake(worker, open, &snapshot, session, stream) => {
            if let Some((session, stream)) = shaken {
                requests(worker, open, session, stream).await;
            }
        }
    }
}

/// Whether a list refuses the peer; told of if so.
fn is_listed(worker: &Worker, session: &Session, tenant: Option<TenantId>) -> bool {
    let lists = worker.lists.load();
    match lists.verdict(session.peer.ip(), session.local.ip(), tenant, Mono::now()) {
        ListVerdict::Pass => false,
        ListVerdict::Refuse(ban) => {
            connection_refused(worker, session, tenant, Fault::of_ban(&ban));
            true
        }
    }
}

/// TLS: hello, the name's site on this destination, the lists of its tenant, handshake.
async fn handshake(
    worker: &Worker,
    open: &Open,
    snapshot: &Snapshot,
    mut session: Session,
    stream: TcpStream,
) -> Option<(Session, TlsStream)> {
    let acceptor = Arc::clone(snapshot.tls.as_ref()?);
    let hello = match acceptor.hello(stream, worker.times.handshake).await {
        Ok(hello) => hello,
        Err(error) => return handshake_failed(worker, &session, None, &error),
    };
    session.sni = hello.sni().map(str::to_owned);
    let site = match snapshot.sites.select_sni(session.local, session.sni.as_deref().unwrap_or_default()) {
        Ok(site) => Arc::clone(site),
        Err(_) => {
            hello.refuse_unrecognized_name().await;
            return handshake_failed(worker, &session, None, &HandshakeError::UnrecognizedName);
        }
    };
    worker.belongs_to(open, site.tenant);
    if is_listed(worker, &session, Some(site.tenant)) {
        return None;
    }
    let now = Mono::now();
    if !site.allowance.handshakes.admit(now) {
        worker.metrics.tls_handshake(false);
        worker.metrics.handshake_limited(site.tenant);
        let fault = Fault::of_contract(site.allowance.tells(now));
        connection_refused(worker, &session, Some(site.tenant), fault);
        return None;
    }
    match hello.accept(worker.times.handshake).await {
        Ok(stream) => {
            worker.metrics.tls_handshake(true);
            Some((session, stream))
        }
        Err(error) => handshake_failed(worker, &session, Some(site.tenant), &error),
    }
}

fn handshake_failed<T>(
    worker: &Worker,
    session: &Session,
    tenant: Option<TenantId>,
    error: &HandshakeError,
) -> Option<T> {
    worker.metrics.tls_handshake(false);
    // Whoever only looks whether the port is open leaves like this: counted, no event.
    if matches!(error, HandshakeError::Closed) {
        return None;
    }
    let reason = match error {
        HandshakeError::UnrecognizedName => Reason::TlsUnrecognizedName,
        HandshakeError::Timeout => Reason::Timeout,
        _ => Reason::TlsHandshake,
    };
    connection_refused(worker, session, tenant, Fault::new(Stage::Tls, reason, error.to_string()));
    None
}

/// Request after request, answered in the order in which they came.
async fn requests<S>(worker: &Worker, open: &Open, mut session: Session, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stream = RefCell::new(stream);
    let (read, write) = (Half(&stream), Half(&stream));
    let (idle, answer) = (Alarm::default(), Alarm::default());
    let mut client = Client { read, write, inbound: Inbound::default(), idle, answer };
    let after = loop {
        let next = tokio::select! {
            biased;
            cut = open.closed() => NextHead::Cut(cut),
            next = next_head(worker, &session, open, &mut client) => next,
        };
        let after = match next {
            NextHead::Request(head, started) => {
                exchange::serve(worker, &mut session, open, &mut client, (*head, started)).await
            }
            NextHead::Cut(cut) => {
                connection_cut(worker, &session, &cut);
                After::Close
            }
            NextHead::Nothing => After::Close,
            NextHead::Refused(status, fault, started) => {
                refuse_head(worker, &session, &mut client, (status, fault, started)).await;
                After::Linger
            }
        };
        if after != After::Keep {
            break after;
        }
    };
    // The peer may be gone already: then there is nothing left to close in order. What it does not read is waited for only
    // where it is an answer.
    let patience = if after == After::Linger { LINGER } else { Duration::ZERO };
    let closed = timeout(patience, client.write.shutdown()).await;
    if after == After::Linger && matches!(closed, Ok(Ok(()))) {
        linger(&mut client.read).await;
    }
}

/// What came instead of, or as, the next request.
enum NextHead {
    Request(Box<RequestHead>, Mono),
    Cut(Cut),
    /// The client closed, was idle for too long, or the worker drains.
    Nothing,
    Refused(u16, Fault, Mono),
}

async fn next_head<R: AsyncRead + Unpin, W>(
    worker: &Worker,
    session: &Session,
    open: &Open,
    client: &mut Client<R, W>,
) -> NextHead {
    if client.inbound.bytes().is_empty() {
        let idle = if session.is_fresh() { worker.times.header_read } else { worker.times.keep_alive_idle };
        let Client { read, inbound, idle: alarm, .. } = client;
        let fresh_since = session.is_fresh().then(Instant::now);
        let first = tokio::select! {
            biased;
            first = alarm.within(idle, inbound.fill(read)) => first,
            () = worker.registry.closes_idle(open, fresh_since) => return NextHead::Nothing,
        };
        match first {
            Ok(Ok(bytes)) if bytes > 0 => {}
            _ => return NextHead::Nothing,
        }
    }
    let started = Mono::now();
    let mut deadline = None;
    let mut parser = RequestParser::new(Limits::default());
    loop {
        match parser.parse(client.inbound.bytes()) {
            Ok(Parsed::Complete(head, consumed)) => {
                client.inbound.consume(consumed);
                return NextHead::Request(Box::new(head), started);
            }
            Ok(Parsed::Partial) => {}
            Err(violation) => return refused(violation, started),
        }
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + worker.times.header_read);
        match timeout_at(deadline, client.inbound.fill(&mut client.read)).await {
            Ok(Ok(bytes)) if bytes > 0 => {}
            // Some clients end a body with a line end that is not counted: then nothing came (RFC 9112 §2.2).
            Ok(Ok(_)) | Err(_) if client.inbound.bytes() == b"\r\n" => return NextHead::Nothing,
            Ok(Ok(_)) => return refused(Violation::Truncated, started),
            Ok(Err(_)) => return NextHead::Nothing,
            Err(_elapsed) => {
                let fault = Fault::new(Stage::Http, Reason::Timeout, "the head did not arrive in time");
                return NextHead::Refused(408, fault, started);
            }
        }
    }
}

fn refused(violation: Violation, started: Mono) -> NextHead {
    let fault = Fault::new(Stage::Http, Reason::Malformed(violation), violation.text());
    NextHead::Refused(violation.status(), fault, started)
}

/// Answers a head that was not understood, and tells of it.
async fn refuse_head<R, W: AsyncWrite + Unpin>(
    worker: &Worker,
    session: &Session,
    client: &mut Client<R, W>,
    (status, fault, started): (u16, Fault, Mono),
) {
    let time = Wall::now();
    let id = worker.event_id(time);
    let page = Page {
        status,
        id,
        now: time,
        location: None,
        retry_after_s: None,
        fields: &[],
        close: true,
        head_only: false,
    };
    // A client that is gone misses the page; the event tells of the refusal all the same.
    let _sent = send(&mut client.write, &page.bytes()).await;
    let account = Account { id, started, time, head: None, site: None, visitor: None };
    let ending = Ending { status, verdict: RequestVerdict::Error, fault: Some(fault) };
    account.close(worker, session, &ending, None);
}

/// Reads and throws away what the client still sends, for a while.
async fn linger(read: &mut (impl AsyncRead + Unpin)) {
    let drain = async {
        let mut buffer = vec![0; READ_BYTES];
        let mut total = 0;
        while let Ok(bytes) = read.read(&mut buffer).await {
            total += bytes;
            if bytes == 0 || total > LINGER_BYTES_MAX {
                break;
            }
        }
    };
    // Either way the socket is closed next.
    let _elapsed = timeout(LINGER, drain).await;
}

//! One request from its head to its end: admitted, inspected, relayed or refused, told of.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Site;
use super::account::{Account, Ending, Fault};
use super::forwarding::{UpstreamBody, Visitor, Way, upstream_head};
use super::inspect::Inspection;
use super::page::Page;
use super::registry::{Cut, Open};
use super::relay::{Broken, Client, Job, RelayError, Relayed, relay};
use super::session::{Session, Step};
use super::wire::{Body, BodyError, send};
use super::worker::Worker;
use crate::engine::{Connection, Disruption};
use crate::event::{EventId, Reason, Stage};
use crate::http::{CONTINUE, Framing, RequestHead, write_chunk};
use crate::model::{Mono, Wall, chain};
use crate::telemetry::RequestVerdict;

/// What becomes of the connection after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Keep,
    /// Nothing on its way is worth waiting for.
    Close,
    /// An answer is on its way and the client may still be sending: let both arrive before the socket goes.
    Linger,
}

/// Serves the request whose head has been read. `started`: when its first byte came.
pub(super) async fn serve<R, W>(
    worker: &Worker,
    session: &mut Session,
    open: &Open,
    client: &mut Client<R, W>,
    (head, started): (RequestHead, Mono),
) -> After
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (arrived, time) = (Mono::now(), Wall::now());
    let id = worker.event_id(time);
    let keep = session.keeps_alive(&head, worker.registry.is_draining());
    let step = session.admit(&head, &worker.snapshot.load(), &worker.lists.load(), arrived);
    let account = Account { id, started, time, head: Some(&head), site: None, visitor: None };
    let turned_away = match &step {
        Step::Serve { site, visitor } => {
            worker.belongs_to(open, site.tenant);
            let connection = Connection { client: visitor.address, server: session.local };
            let mut exchange = Exchange {
                worker,
                session,
                head: &head,
                site,
                visitor: *visitor,
                id,
                time,
                keep,
                arrived,
                body: Body::of_request(head.framing(), worker.times.body_idle),
                inspection: Inspection::new(site, connection, time, id),
            };
            let (ending, after) = tokio::select! {
                biased;
                cut = open.closed() => cut_off(&cut),
                ended = exchange.run(client) => ended,
            };
            exchange.inspection.end().await;
            let account = Account { site: Some(site), visitor: Some(*visitor), ..account };
            account.close(worker, session, &ending, Some(&exchange.inspection));
            return after;
        }
        Step::Misdirected(misdirected) => (account, Fault::of_misdirected(*misdirected), 421, false),
        Step::RefusePeer { site, visitor, ban } => {
            let account = Account { site: Some(site), visitor: Some(*visitor), ..account };
            (account, Fault::of_ban(ban), 0, false)
        }
        Step::OverContract { site, visitor } => {
            worker.belongs_to(open, site.tenant);
            worker.metrics.request_limited(site.tenant);
            let account = Account { site: Some(site), visitor: Some(*visitor), ..account };
            let keep = keep && matches!(head.framing(), Framing::None | Framing::Length(0));
            (account, Fault::of_contract(site.allowance.tells(arrived)), 429, keep)
        }
        Step::RefuseVisitor { site, visitor, ban } => {
            let account = Account { site: Some(site), visitor: Some(*visitor), ..account };
            // A trusted proxy's connection carries other visitors too.
            let keep = keep && matches!(head.framing(), Framing::None | Framing::Length(0));
            (account, Fault::of_ban(ban), 403, keep)
        }
    };
    turn_away(worker, session, client, turned_away).await
}

/// Shares are made anew within it; `Retry-After` knows whole seconds only (RFC 6585 §4, RFC 9110 §10.2.3).
const SHARES_ANEW_S: u32 = 1;

/// A request under way ends, whatever it has come to.
fn cut_off(cut: &Cut) -> (Ending, After) {
    let verdict = match cut {
        Cut::Banned(_) => RequestVerdict::Deny,
        Cut::Drained => RequestVerdict::Error,
    };
    (Ending { status: 0, verdict, fault: Some(Fault::of_cut(cut)) }, After::Close)
}

/// Ends a request that is not inspected: with a page, or without an answer where the status is 0.
async fn turn_away<R, W: AsyncWrite + Unpin>(
    worker: &Worker,
    session: &Session,
    client: &mut Client<R, W>,
    (account, fault, status, keep): (Account<'_>, Fault, u16, bool),
) -> After {
    let mut after = if keep { After::Keep } else { After::Linger };
    if status == 0 {
        after = After::Close;
    } else {
        let page = Page {
            status,
            id: account.id,
            now: account.time,
            location: None,
            retry_after_s: (fault.reason == Reason::OverContract).then_some(SHARES_ANEW_S),
            fields: account.site.map(|site| site.response_headers.as_slice()).unwrap_or_default(),
            close: !keep,
            head_only: account.head.is_some_and(|head| head.method() == "HEAD"),
        };
        // A client that is gone misses the page; the event tells of the refusal all the same.
        let _sent = send(&mut client.write, &page.bytes()).await;
    }
    account.close(
        worker,
        session,
        &Ending { status, verdict: RequestVerdict::Deny, fault: Some(fault) },
        None,
    );
    after
}

/// An admitted request under way.
struct Exchange<'a> {
    worker: &'a Worker,
    session: &'a Session,
    head: &'a RequestHead,
    site: &'a Arc<Site>,
    visitor: Visitor,
    id: EventId,
    time: Wall,
    keep: bool,
    /// When its head was complete.
    arrived: Mono,
    body: Body,
    inspection: Inspection,
}

impl Exchange<'_> {
    async fn run<R, W>(&mut self, client: &mut Client<R, W>) -> (Ending, After)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        self.inspection.request_head(self.head, &self.site.exclusions).await;
        if let Some(disruption) = self.inspection.refusal().cloned() {
            return self.refuse(client, &disruption, Fault::of_request_rules(&disruption)).await;
        }
        let prefix = match self.inspect_body(client).await {
            Ok(prefix) => prefix,
            Err(error) => return self.body_broke(client, &error).await,
        };
        if let Some(disruption) = self.inspection.refusal().cloned() {
            return self.refuse(client, &disruption, Fault::of_request_rules(&disruption)).await;
        }
        let (first, chunked) = self.first_bytes(&prefix);
        // `first` holds it now; a long upload need not hold it twice.
        drop(prefix);
        let ended = self.forward(client, &first, chunked).await;
        self.worker.buffers.give(first);
        ended
    }

    /// Reads the part of the body that the rules see and runs phase 2. What is longer and not refused for it passes
    /// uninspected beyond it.
    async fn inspect_body<R, W>(&mut self, client: &mut Client<R, W>) -> Result<Vec<u8>, BodyError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        if self.head.expects_continue() && client.inbound.bytes().is_empty() {
            send(&mut client.write, CONTINUE).await.map_err(BodyError::Read)?;
        }
        let mut prefix = Vec::new();
        if self.inspection.wants_request_body() {
            // One byte past the limit shows the rules that there is more (SecRequestBodyLimitAction).
            let limit = self.inspection.request_body_limit();
            while !self.body.is_done() && prefix.len() <= limit {
                self.body.next(&mut client.inbound, &mut client.read, &mut prefix).await?;
            }
            self.inspection.request_body(&prefix);
        } else {
            self.body.decode(&mut client.inbound, &mut prefix)?;
        }
        self.inspection.end_request_body().await;
        Ok(prefix)
    }

    /// How the body goes on, and the bytes that go first.
    fn first_bytes(&self, prefix: &[u8]) -> (Vec<u8>, bool) {
        let upstream = match self.head.framing() {
            Framing::None => UpstreamBody::None,
            Framing::Length(length) => UpstreamBody::Length(length),
            _ if self.body.is_done() => UpstreamBody::Length(prefix.len() as u64),
            _ => UpstreamBody::Chunked,
        };
        let way = Way {
            session: self.session,
            visitor: self.visitor,
            id: self.id,
            plain_answer: self.inspection.may_want_response_body(),
        };
        let buffer = self.worker.buffers.take();
        let mut first = upstream_head(buffer, self.head, self.site, &way, upstream);
        let chunked = upstream == UpstreamBody::Chunked;
        if chunked {
            write_chunk(&mut first, prefix);
        } else {
            first.extend_from_slice(prefix);
        }
        (first, chunked)
    }

    /// Asks the origin and sends its answer. Sent again at most once: over a reused connection that died without a byte,
    /// if the method is idempotent and the whole body is still here.
    async fn forward<R, W>(
        &mut self,
        client: &mut Client<R, W>,
        first: &[u8],
        chunked: bool,
    ) -> (Ending, After)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let before = Duration::from_nanos(Mono::now().since_ns(self.arrived));
        let before = before.saturating_sub(self.body.waited());
        let replayable = self.head.is_idempotent() && self.body.is_done();
        let pool = &self.worker.pool;
        let (upstreams, tenant) = (&self.site.upstreams, self.site.tenant);
        let mut lease = if replayable {
            pool.connect_for_repeatable(upstreams, tenant).await
        } else {
            pool.connect(upstreams, tenant).await
        };
        loop {
            let mut connection = match lease {
                Ok(connection) => connection,
                Err(error) => {
                    let status = if error.is_timeout() { 504 } else { 502 };
                    let fault = Fault::new(Stage::Origin, Reason::OriginUnreachable, chain(&error));
                    return self.fail(client, status, fault).await;
                }
            };
            let (head, site, keep, worker) = (self.head, self.site, self.keep, self.worker);
            let job = Job { head, site, first, chunked, keep, times: worker.times, buffers: &worker.buffers };
            let relayed = relay(job, client, &mut self.body, &mut connection, &mut self.inspection).await;
            match relayed {
                Ok(Relayed::Sent { status, keep_client, keep_origin, added }) => {
                    self.worker.metrics.added_latency(before + added);
                    if keep_origin {
                        connection.keep();
                    }
                    // Bytes that nobody asked for, unread at the close, would reset away what of the answer is still
                    // on its way.
                    let after = if keep_client { After::Keep } else { After::Linger };
                    return (Ending { status, verdict: RequestVerdict::Pass, fault: None }, after);
                }
                Ok(Relayed::Refused) => {
                    let disruption = self.inspection.refusal().cloned();
                    let refused = disruption.unwrap_or(Disruption::Deny { rule: 0, status: 403 });
                    return self.refuse(client, &refused, Fault::of_rules(&refused)).await;
                }
                Err(Broken { error: RelayError::OriginSilent, .. }) if connection.reused() && replayable => {
                    lease = pool.fresh(upstreams, tenant).await;
                }
                Err(broken) => return self.relay_broke(client, broken).await,
            }
        }
    }

    async fn relay_broke<R, W>(&mut self, client: &mut Client<R, W>, broken: Broken) -> (Ending, After)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let detail = chain(&broken.error);
        let (status, fault) = match (&broken.error, broken.status) {
            (RelayError::ClientWrite(_), status) => {
                let ending =
                    Ending { status: status.unwrap_or(0), verdict: RequestVerdict::Error, fault: None };
                return (ending, After::Close);
            }
            (RelayError::ClientBody(error), None) => return self.body_broke(client, error).await,
            (RelayError::ClientBody(error), Some(status)) => (status, body_fault(error)),
            (RelayError::OriginTimeout, status) => {
                (status.unwrap_or(504), Some(Fault::new(Stage::Origin, Reason::Timeout, detail)))
            }
            (_, status) => {
                (status.unwrap_or(502), Some(Fault::new(Stage::Origin, Reason::OriginBroken, detail)))
            }
        };
        match fault {
            Some(fault) if broken.status.is_none() => self.fail(client, status, fault).await,
            fault => (Ending { status, verdict: RequestVerdict::Error, fault }, After::Close),
        }
    }

    async fn body_broke<R, W>(&mut self, client: &mut Client<R, W>, error: &BodyError) -> (Ending, After)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let status = match error {
            BodyError::Malformed(violation) => violation.status(),
            BodyError::Timeout => 408,
            BodyError::Read(_) => 0,
        };
        match body_fault(error) {
            Some(fault) => self.fail(client, status, fault).await,
            None => (Ending { status: 0, verdict: RequestVerdict::Error, fault: None }, After::Close),
        }
    }

    /// Acts on a rule's refusal.
    async fn refuse<R, W>(
        &self,
        client: &mut Client<R, W>,
        disruption: &Disruption,
        fault: Fault,
    ) -> (Ending, After)
    where
        W: AsyncWrite + Unpin,
    {
        let fault = Some(fault);
        let (status, location, verdict) = match disruption {
            Disruption::Drop { .. } => {
                return (Ending { status: 0, verdict: RequestVerdict::Drop, fault }, After::Close);
            }
            Disruption::Deny { status, .. } => (*status, None, RequestVerdict::Deny),
            Disruption::Redirect { status, location, .. } => {
                (*status, Some(location.as_str()), RequestVerdict::Redirect)
            }
        };
        let after = self.answer(client, status, location).await;
        (Ending { status, verdict, fault }, after)
    }

    /// Answers with an error page.
    async fn fail<R, W>(&self, client: &mut Client<R, W>, status: u16, fault: Fault) -> (Ending, After)
    where
        W: AsyncWrite + Unpin,
    {
        let after = self.answer(client, status, None).await;
        (Ending { status, verdict: RequestVerdict::Error, fault: Some(fault) }, after)
    }

    /// Sends a page; the connection lives on only if the request was read to its end.
    async fn answer<R, W>(&self, client: &mut Client<R, W>, status: u16, location: Option<&str>) -> After
    where
        W: AsyncWrite + Unpin,
    {
        let close = !self.keep || !self.body.is_done();
        let page = Page {
            status,
            id: self.id,
            now: self.time,
            location,
            retry_after_s: None,
            fields: &self.site.response_headers,
            close,
            head_only: self.head.method() == "HEAD",
        };
        match send(&mut client.write, &page.bytes()).await {
            Err(_) => After::Close,
            Ok(()) if close => After::Linger,
            Ok(()) => After::Keep,
        }
    }
}

/// What a body that broke is told as; a client that went away is nobody's fault.
fn body_fault(error: &BodyError) -> Option<Fault> {
    match error {
        BodyError::Malformed(crate::http::Violation::Truncated) | BodyError::Read(_) => None,
        BodyError::Malformed(violation) => {
            Some(Fault::new(Stage::Http, Reason::Malformed(*violation), violation.text()))
        }
        BodyError::Timeout => Some(Fault::new(Stage::Http, Reason::Timeout, chain(error))),
    }
}

//! What is told of a request or connection that ended: counters, the request's record, an event if it was refused or
//! scored, an observation for the feedback loop. One place, so that every end is told once.

use std::net::SocketAddr;
use std::time::Duration;

use super::forwarding::Visitor;
use super::inspect::Inspection;
use super::limits::QUOTED_BYTES_MAX;
use super::registry::Cut;
use super::session::Session;
use super::worker::Worker;
use super::{Misdirected, Observation, Site};
use crate::engine::Disruption;
use crate::event::{Event, EventId, Reason, RequestRecord, Stage};
use crate::http::RequestHead;
use crate::model::{Ban, BanOrigin, BanScope, Mode, Mono, TenantId, Wall};
use crate::telemetry::RequestVerdict;

/// Why something did not get what it came for.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub stage: Stage,
    pub reason: Reason,
    /// One sentence for operators.
    pub detail: String,
    /// The request itself was refused by a rule. What a rule finds in the origin's answer is not its visitor's doing.
    pub blames_source: bool,
    /// One of so many alike that the counters alone tell of it.
    pub is_quiet: bool,
}

impl Fault {
    pub(super) fn new(stage: Stage, reason: Reason, detail: impl Into<String>) -> Self {
        Self { stage, reason, detail: detail.into(), blames_source: false, is_quiet: false }
    }

    pub(super) fn of_ban(ban: &Ban) -> Self {
        let reason = if ban.origin == BanOrigin::List { Reason::Blocked } else { Reason::Banned };
        let scope = match ban.scope {
            BanScope::Node => "node".to_owned(),
            BanScope::Address(address) => format!("address {address}"),
            BanScope::Tenant(tenant) => format!("tenant {tenant}"),
        };
        Self::new(Stage::List, reason, format!("{} is refused for {scope}", ban.prefix))
    }

    pub(super) fn of_cut(cut: &Cut) -> Self {
        match cut {
            Cut::Banned(ban) => Self::of_ban(ban),
            Cut::Drained => Self::new(Stage::Http, Reason::DrainDeadline, "the node ended first"),
        }
    }

    pub(super) fn of_contract(tells: bool) -> Self {
        let detail = if tells { "the node has not enough for all, and the tenant has its share" } else { "" };
        Self { is_quiet: !tells, ..Self::new(Stage::Http, Reason::OverContract, detail) }
    }

    pub(super) fn of_misdirected(misdirected: Misdirected) -> Self {
        let detail = match misdirected {
            Misdirected::Address => "no site has this destination address and port",
            Misdirected::Host => "no site of this destination has the name of Host",
            Misdirected::Sni => "SNI and Host name different sites",
        };
        Self::new(Stage::Http, Reason::Misdirected, detail)
    }

    pub(super) fn of_request_rules(disruption: &Disruption) -> Self {
        // Rule 0 is a limit: an upload that is too long is no attack.
        Self { blames_source: disruption.rule() != 0, ..Self::of_rules(disruption) }
    }

    pub(super) fn of_rules(disruption: &Disruption) -> Self {
        // The engine's own limits refuse as rule 0; which one stands among the matches.
        let detail = match disruption.rule() {
            0 => "a limit of the rules refused".to_owned(),
            rule => format!("rule {rule} refused"),
        };
        Self::new(Stage::Rules, Reason::Rules, detail)
    }
}

/// How a request ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// 0: nothing was answered, or a ban cut it off.
    pub status: u16,
    pub verdict: RequestVerdict,
    pub fault: Option<Fault>,
}

/// What is known of a request by and by.
#[derive(Debug)]
pub(super) struct Account<'a> {
    pub id: EventId,
    pub started: Mono,
    pub time: Wall,
    pub head: Option<&'a RequestHead>,
    pub site: Option<&'a Site>,
    pub visitor: Option<Visitor>,
}

impl Account<'_> {
    /// Hot: per request. Tells how it ended.
    pub(super) fn close(
        &self,
        worker: &Worker,
        session: &Session,
        ending: &Ending,
        inspection: Option<&Inspection>,
    ) {
        let now = Mono::now();
        let inspect_ns = inspection.map_or(0, Inspection::spent_ns);
        let total_ns = now.since_ns(self.started);
        let metrics = &worker.metrics;
        metrics.request(ending.verdict, Duration::from_nanos(inspect_ns), Duration::from_nanos(total_ns));
        if let Some(site) = self.site {
            metrics.tenant_request(site.tenant, ending.verdict);
            self.observe(worker, session, site, ending, now);
        }
        if let Some(fault) = &ending.fault {
            metrics.refused(fault.reason);
        }
        let scored =
            inspection.is_some_and(|inspection| inspection.score() > 0 || !inspection.matches().is_empty());
        let is_quiet = ending.fault.as_ref().is_some_and(|fault| fault.is_quiet);
        if is_quiet {
            metrics.event_withheld();
        } else if ending.fault.is_some() || scored {
            worker.journal.event(self.event(session, ending, inspection, now));
        }
        if worker.journal.wants_requests() {
            let (method, host, target) = self.quoted();
            worker.journal.request(RequestRecord {
                time: self.time,
                request_id: self.id,
                tenant: self.tenant(),
                client: self.client(session),
                method,
                host,
                target,
                status: ending.status,
                verdict: ending.verdict.label(),
                score: inspection.map_or(0, Inspection::score),
                rules: inspection.map(Inspection::rule_ids).unwrap_or_default(),
                inspect_us: inspect_ns / 1_000,
                total_us: total_ns / 1_000,
            });
        }
    }

    /// What a list refuses is no behaviour to judge: it was judged before.
    fn observe(&self, worker: &Worker, session: &Session, site: &Site, ending: &Ending, now: Mono) {
        if ending.fault.as_ref().is_some_and(|fault| fault.stage == Stage::List) {
            return;
        }
        let blamed = ending.fault.as_ref().is_some_and(|fault| fault.blames_source);
        let bannable = site.mode == Mode::Block && self.visitor.is_some_and(|visitor| !visitor.is_proxy);
        let observation = Observation {
            tenant: site.tenant,
            source: self.client(session).ip(),
            destination: session.local.ip(),
            at: now,
            refused: blamed && bannable,
        };
        worker.outbox.put(observation, &worker.metrics);
    }

    fn event(&self, session: &Session, ending: &Ending, inspection: Option<&Inspection>, now: Mono) -> Event {
        let passed = || Fault::new(Stage::Rules, Reason::Rules, "rules matched, the request was passed");
        let fault = ending.fault.clone().unwrap_or_else(passed);
        let (method, host, target) = self.quoted();
        Event {
            id: self.id,
            time: self.time,
            mono: now,
            tenant: self.tenant(),
            client: self.client(session),
            server: session.local,
            stage: fault.stage,
            reason: fault.reason,
            refused: ending.fault.is_some(),
            status: (ending.status != 0).then_some(ending.status),
            method,
            host,
            target,
            sni: session.sni.clone(),
            score: inspection.map_or(0, Inspection::score),
            matches: inspection.map(Inspection::matches).unwrap_or_default().to_vec(),
            detail: fault.detail,
        }
    }

    fn tenant(&self) -> Option<TenantId> {
        self.site.map(|site| site.tenant)
    }

    fn client(&self, session: &Session) -> SocketAddr {
        self.visitor.map_or(session.peer, |visitor| visitor.address)
    }

    /// Method, host and target, bounded; empty where no head was understood.
    fn quoted(&self) -> (String, String, String) {
        let Some(head) = self.head else { return Default::default() };
        let host = head.host().map_or("", |host| host.text());
        (quote(head.method()), quote(host), quote(head.target()))
    }
}

/// Tells of a connection that was ended from outside between requests.
pub(super) fn connection_cut(worker: &Worker, session: &Session, cut: &Cut) {
    let tenant = match cut {
        Cut::Banned(ban) => ban.tenant,
        Cut::Drained => None,
    };
    connection_refused(worker, session, tenant, Fault::of_cut(cut));
}

/// Tells of a connection that ended before a request.
pub(super) fn connection_refused(worker: &Worker, session: &Session, tenant: Option<TenantId>, fault: Fault) {
    worker.metrics.refused(fault.reason);
    if fault.is_quiet {
        return worker.metrics.event_withheld();
    }
    let time = Wall::now();
    let (ends, why) = ((session.peer, session.local), (fault.stage, fault.reason));
    worker.journal.event(Event {
        tenant,
        sni: session.sni.clone(),
        detail: fault.detail,
        ..Event::without_request(worker.event_id(time), (time, Mono::now()), ends, why)
    });
}

/// The beginning of a text, whole characters.
fn quote(text: &str) -> String {
    let end = text.floor_char_boundary(QUOTED_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}

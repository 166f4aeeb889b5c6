//! Values of the core -> the words they are shown in.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::words::*;
use crate::control::audit::difference::Difference;
use crate::control::audit::record::AuditEntry;
use crate::control::bans::ListedBan;
use crate::control::capacity::Rates;
use crate::control::environment::{Environment, Site, Strength};
use crate::control::inventory::{Node, NodeState};
use crate::control::ledger::View;
use crate::control::plan::{Cause, Language as In, Notice, Outcome};
use crate::control::sheet::Tls;
use crate::control::sync::NodeStanding;
use crate::control::token::{Role, Token};
use crate::model::sync::BanSource;
use crate::model::{Mode, Wall};
use crate::secret::hex;

/// RFC 3339 in UTC, to the second.
pub fn moment(wall: Wall) -> String {
    let at = i64::try_from(wall.0 / 1000).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    at.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// None where the state has no such environment, which [`crate::control::environment::State::violations`] tells of.
pub fn site(known: &View, site: &Site) -> Option<SiteView> {
    let serving = known.state.environment(site.current)?;
    let sheet = &serving.sheet;
    let certificate = match sheet.tls {
        Tls::None => None,
        Tls::Upload(certificate) => Some(certificate),
    };
    let old = site.old.and_then(|old| known.state.environment(old));
    Some(SiteView {
        fqdn: site.fqdn.to_string(),
        customer: site.customer.to_string(),
        cname: serving.name.to_string(),
        addresses: serving.addresses(),
        strength: strength(serving.strength()),
        sources: sources(known, serving),
        peak: peak(sheet.peak),
        origins: sheet.origins.iter().map(ToString::to_string).collect(),
        certificate: certificate.map(|it| hex::encode(&it.fingerprint)),
        certificate_ends: certificate.map(|it| moment(it.ends)),
        mode: match sheet.options.mode {
            Mode::Block => "block",
            Mode::Detect => "detect",
            Mode::Off => "off",
        }
        .to_owned(),
        paranoia: sheet.options.paranoia,
        opened: moment(serving.opened),
        old: old.map(|old| OldView { cname: old.name.to_string(), addresses: old.addresses() }),
    })
}

fn sources(known: &View, environment: &Environment) -> BTreeSet<IpAddr> {
    let nodes = environment.placements.iter().filter_map(|placement| known.inventory.node(&placement.node));
    nodes.flat_map(|node| node.sources.iter().copied()).collect()
}

pub const fn strength(strength: Strength) -> StrengthView {
    match strength {
        Strength::Own => StrengthView::Own,
        Strength::Shared => StrengthView::Shared,
    }
}

pub const fn peak(rates: Rates) -> PeakView {
    PeakView { requests_s: rates.requests_s, mbit_s: rates.mbit_s, handshakes_s: rates.handshakes_s }
}

pub const fn rates(rates: Rates) -> RatesView {
    RatesView { requests_s: rates.requests_s, mbit_s: rates.mbit_s, handshakes_s: rates.handshakes_s }
}

pub fn notice(notice: &Notice) -> NoticeView {
    NoticeView {
        fqdn: notice.fqdn.to_string(),
        outcome: match notice.outcome {
            Outcome::Opened => OutcomeView::Opened,
            Outcome::Same => OutcomeView::Same,
            Outcome::InPlace => OutcomeView::InPlace,
            Outcome::Move => OutcomeView::Move,
            Outcome::RolledBack => OutcomeView::RolledBack,
            Outcome::OldClosed => OutcomeView::OldClosed,
            Outcome::Removed => OutcomeView::Removed,
            Outcome::NoPlace => OutcomeView::NoPlace,
            Outcome::MoveUnderWay => OutcomeView::MoveUnderWay,
        },
        causes: notice
            .causes
            .iter()
            .map(|cause| match cause {
                Cause::Peak => CauseView::Peak,
                Cause::Residency => CauseView::Residency,
                Cause::Maintenance => CauseView::Maintenance,
            })
            .collect(),
        cname: notice.cname.as_ref().map(ToString::to_string),
        addresses: notice.addresses.clone(),
        strength: notice.strength.map(strength),
        sources: notice.sources.clone(),
        sources_new: notice.sources_new.clone(),
        text_en: notice.text(In::En),
        text_ja: notice.text(In::Ja),
    }
}

pub fn node(known: &View, node: &Node, standing: Option<&NodeStanding>) -> NodeView {
    let load = known.state.load(&node.name);
    NodeView {
        name: node.name.to_string(),
        carrier: node.carrier.to_string(),
        region: node.region.to_string(),
        residency: node.residency.to_string(),
        capacity: rates(node.capacity),
        ipv4: node.ipv4.networks().iter().map(ToString::to_string).collect(),
        ipv6: node.ipv6.map(|prefix| prefix.to_string()),
        sources: node.sources.iter().map(ToString::to_string).collect(),
        state: Some(match node.state {
            NodeState::Active => NodeStateView::Active,
            NodeState::Draining => NodeStateView::Draining,
            NodeState::Dead => NodeStateView::Dead,
        }),
        reserved: Some(load.map(|load| rates(load.reserved)).unwrap_or_default()),
        environments: Some(load.map_or(0, |load| load.tenants.len() as u64)),
        standing: standing.map(|standing| StandingView {
            connected_since: moment(Wall(standing.since_ms)),
            generation: standing.generation,
            target: standing.target,
            is_current: standing.is_current,
            is_ahead: standing.is_ahead,
            is_ready: standing.is_ready,
            refused: standing.refused.clone(),
            software: standing.software.clone(),
            bans: standing.bans,
            certificate_ends: moment(Wall(standing.certificate_ends_ms)),
        }),
    }
}

pub fn environments(known: &View, site: &Site) -> Environments {
    let both = [Some(site.current), site.old].into_iter().flatten();
    let both = both.filter_map(|tenant| known.state.environment(tenant));
    Environments {
        fqdn: site.fqdn.to_string(),
        customer: site.customer.to_string(),
        names: site.names.iter().map(ToString::to_string).collect(),
        environments: both
            .map(|it| EnvironmentView {
                tenant: it.tenant.number(),
                cname: it.name.to_string(),
                current: it.tenant == site.current,
                residency: it.sheet.residency.to_string(),
                generation: it.generation.0,
                opened: moment(it.opened),
                placements: it
                    .placements
                    .iter()
                    .map(|placement| PlacementView {
                        node: placement.node.to_string(),
                        carrier: placement.carrier.to_string(),
                        ipv4: placement.ipv4.to_string(),
                        strength: strength(placement.strength),
                        ipv6: placement.ipv6.map(|ipv6| ipv6.to_string()),
                        reserved: rates(placement.reserved),
                    })
                    .collect(),
            })
            .collect(),
    }
}

pub fn token(token: &Token) -> TokenView {
    let (role, customer) = match &token.role {
        Role::Operator => (RoleView::Operator, None),
        Role::Customer(customer) => (RoleView::Customer, Some(customer.to_string())),
    };
    TokenView {
        id: token.id.to_string(),
        role,
        customer,
        note: token.note.clone(),
        made: moment(token.made),
        expires: token.expires.map(moment),
    }
}

pub fn ban(ban: &ListedBan) -> BanView {
    BanView {
        prefix: ban.prefix.to_string(),
        site: ban.site.as_ref().map(ToString::to_string),
        origin: match ban.source {
            BanSource::Rules => "rules",
            BanSource::Operator => "operator",
            BanSource::Import => "import",
        }
        .to_owned(),
        reason: ban.reason.clone(),
        expires: ban.expires.map(moment),
    }
}

pub fn audit(entry: &AuditEntry) -> AuditEntryView {
    AuditEntryView {
        revision: entry.revision.map(|revision| revision.0),
        at: moment(entry.at),
        actor: entry.actor.clone(),
        changes: entry
            .changes
            .iter()
            .map(|change| AuditChangeView {
                subject: change.subject.clone(),
                action: change.action.clone(),
                customer: change.customer.clone(),
                reasons: change.reasons.clone(),
                differences: change.differences.iter().map(difference).collect(),
            })
            .collect(),
    }
}

fn difference(difference: &Difference) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let colon = if difference.field.is_empty() { "" } else { ": " };
    format!("{}{colon}{} -> {}", difference.field, value(&difference.before), value(&difference.after))
}

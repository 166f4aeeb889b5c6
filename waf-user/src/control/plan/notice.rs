//! A decision as the customer may see it: the CNAME, the addresses, whence we reach the origin, and why in words that
//! name no node, no carrier and no region. A [`Notice`] has no field that could hold one.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

use super::{Action, Decision, Refusal};
use crate::control::change::{Change, Reason};
use crate::control::environment::{Environment, Strength};
use crate::control::inventory::Inventory;
use crate::model::Fqdn;

/// In which a notice is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    En,
    Ja,
}

/// What becomes of the customer's site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has an environment from now on.
    Opened,
    Same,
    InPlace,
    /// The customer has DNS to change.
    Move,
    RolledBack,
    OldClosed,
    Removed,
    /// We have no place for it; nothing changes.
    NoPlace,
}

/// Why, as far as it is the customer's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The peak does not fit where the site is served today.
    Peak,
    /// Where the site is served today does not suit its residency.
    Residency,
    /// Work on our side.
    Maintenance,
}

/// One site's notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub fqdn: Fqdn,
    pub outcome: Outcome,
    pub causes: BTreeSet<Cause>,
    /// What `www` points at; none where nothing serves the site.
    pub cname: Option<Fqdn>,
    /// For a zone apex, where no CNAME can stand; all of them belong there.
    pub addresses: Vec<IpAddr>,
    pub strength: Option<Strength>,
    /// Whence we reach the origin: to be let through its firewall.
    pub sources: BTreeSet<IpAddr>,
    /// Those of `sources` that are new: to be let through before the change.
    pub sources_new: BTreeSet<IpAddr>,
}

impl Notice {
    /// Of what was decided, before or after it is applied.
    pub fn new(decision: &Decision, inventory: &Inventory) -> Self {
        let sources = |environment: &Environment| -> BTreeSet<IpAddr> {
            let nodes = environment.placements.iter().filter_map(|placement| inventory.node(&placement.node));
            nodes.flat_map(|node| node.sources.iter().copied()).collect()
        };
        let after = decision.after.as_deref();
        let before = decision.before.as_deref().filter(|_| decision.action != Action::Close);
        let known = before.map(sources).unwrap_or_default();
        let now = after.map(sources).unwrap_or_default();
        Self {
            fqdn: decision.fqdn.clone(),
            outcome: outcome(decision.action),
            causes: decision.reasons.iter().filter_map(cause).collect(),
            cname: after.map(|environment| environment.name.clone()),
            addresses: after.map(Environment::addresses).unwrap_or_default(),
            strength: after.map(Environment::strength),
            sources_new: match decision.action {
                Action::Close => BTreeSet::new(),
                _ => now.difference(&known).copied().collect(),
            },
            sources: now,
        }
    }

    /// Of a wish that has no place.
    pub fn of_refusal(refusal: &Refusal) -> Option<Self> {
        let Refusal::NoRoom { fqdn, .. } = refusal else { return None };
        Some(Self {
            fqdn: fqdn.clone(),
            outcome: Outcome::NoPlace,
            causes: BTreeSet::new(),
            cname: None,
            addresses: Vec::new(),
            strength: None,
            sources: BTreeSet::new(),
            sources_new: BTreeSet::new(),
        })
    }

    /// The whole notice as text.
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = match language {
            Language::En => self.write_en(&mut text),
            Language::Ja => self.write_ja(&mut text),
        };
        text
    }

    fn write_en(&self, out: &mut String) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Opened => "is protected from now on",
            Outcome::Same => "is served as before",
            Outcome::InPlace => "is served by the new sheet; the CNAME and the addresses stay",
            Outcome::Move => {
                "moves: please change its DNS to what is named here; the old addresses serve on meanwhile"
            }
            Outcome::RolledBack => "is served from its former environment again",
            Outcome::OldClosed => "is no longer served at its old addresses",
            Outcome::Removed => "is no longer served here",
            Outcome::NoPlace => {
                "cannot be served with this peak at the moment; nothing was changed. We are in touch"
            }
        };
        writeln!(out, "{} {outcome}.", self.fqdn)?;
        for cause in &self.causes {
            out.push_str(match cause {
                Cause::Peak => "Reason: the peak does not fit where the site is served today.\n",
                Cause::Residency => "Reason: the site's residency.\n",
                Cause::Maintenance => "Reason: maintenance on our side.\n",
            });
        }
        if let Some(cname) = &self.cname {
            writeln!(out, "CNAME: {cname}")?;
            writeln!(out, "At a zone apex, all of these addresses: {}", List(&self.addresses))?;
        }
        match self.strength {
            Some(Strength::Own) => {
                out.push_str("Kernel filter: per site from the first packet (addresses of its own)\n");
            }
            Some(Strength::Shared) => out.push_str(
                "Kernel filter: per site once a connection has named its site (shared IPv4 address); IPv6 from the first packet\n",
            ),
            None => {}
        }
        if !self.sources.is_empty() {
            writeln!(out, "We reach your origin from: {}", List(&self.sources))?;
        }
        if !self.sources_new.is_empty() {
            writeln!(out, "Please let these new ones through beforehand: {}", List(&self.sources_new))?;
        }
        Ok(())
    }

    fn write_ja(&self, out: &mut String) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Opened => "の保護を開始します",
            Outcome::Same => "に変更はありません",
            Outcome::InPlace => "に新しい設定を適用します。CNAMEとIPアドレスは変わりません",
            Outcome::Move => {
                "は新しい環境へ移行します。DNSを下記の内容に変更してください。移行中は旧アドレスでも提供を続けます"
            }
            Outcome::RolledBack => "を以前の環境に戻します",
            Outcome::OldClosed => "の旧アドレスでの提供を終了します",
            Outcome::Removed => "の提供を終了します",
            Outcome::NoPlace => "は現在このピークで収容できません。変更は行っていません。追ってご連絡します",
        };
        writeln!(out, "{} {outcome}。", self.fqdn)?;
        for cause in &self.causes {
            out.push_str(match cause {
                Cause::Peak => "理由: ピークトラフィックが現在の環境に収まりません。\n",
                Cause::Residency => "理由: データ所在国の条件によります。\n",
                Cause::Maintenance => "理由: 当社側の保守作業によります。\n",
            });
        }
        if let Some(cname) = &self.cname {
            writeln!(out, "CNAME: {cname}")?;
            writeln!(out, "ゾーン頂点には次のすべてのアドレスを設定: {}", List(&self.addresses))?;
        }
        match self.strength {
            Some(Strength::Own) => out.push_str("カーネルフィルタ: 最初のパケットからサイト単位(専用アドレス)\n"),
            Some(Strength::Shared) => out.push_str(
                "カーネルフィルタ: 接続がサイト名を示した後はサイト単位(共有IPv4アドレス)。IPv6は最初のパケットから\n",
            ),
            None => {}
        }
        if !self.sources.is_empty() {
            writeln!(out, "オリジンへの接続元アドレス: {}", List(&self.sources))?;
        }
        if !self.sources_new.is_empty() {
            writeln!(out, "次の新しい接続元を事前に許可してください: {}", List(&self.sources_new))?;
        }
        Ok(())
    }
}

fn outcome(action: Action) -> Outcome {
    match action {
        Action::Open => Outcome::Opened,
        Action::Change(Change::Same) => Outcome::Same,
        Action::Change(Change::InPlace) => Outcome::InPlace,
        Action::Change(Change::Move) => Outcome::Move,
        Action::RollBack => Outcome::RolledBack,
        Action::Close => Outcome::OldClosed,
        Action::Remove => Outcome::Removed,
    }
}

/// What a customer hears of a reason.
fn cause(reason: &Reason) -> Option<Cause> {
    match reason {
        Reason::DoesNotFit { .. } => Some(Cause::Peak),
        Reason::OutsideResidency { .. } => Some(Cause::Residency),
        Reason::NodeDraining(_) | Reason::NodeDead(_) | Reason::NodeUnknown(_) | Reason::Asked => {
            Some(Cause::Maintenance)
        }
        Reason::Peak { .. }
        | Reason::Fits { .. }
        | Reason::TlsOn
        | Reason::TlsOff
        | Reason::Certificate
        | Reason::Origins
        | Reason::Residency { .. }
        | Reason::Options => None,
    }
}

/// Addresses with a space between.
struct List<'a, T>(&'a T);

impl<'a, T> fmt::Display for List<'a, T>
where
    &'a T: IntoIterator<Item = &'a IpAddr>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, address) in self.0.into_iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{address}")?;
        }
        Ok(())
    }
}

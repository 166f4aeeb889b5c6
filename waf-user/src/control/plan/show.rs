//! A plan as an operator reads it before it is applied: what becomes of each site, from where to where, and why.

use std::fmt;

use super::{Action, Decision, NoRoomList, Plan};
use crate::control::capacity::{LINE_PERCENT, Measure, Thousands};
use crate::control::change::Change;
use crate::control::environment::{Environment, Strength};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan against revision {}", self.revision.0)?;
        self.decisions.iter().try_for_each(|decision| write!(f, "{decision}"))?;
        self.refusals.iter().try_for_each(|refusal| writeln!(f, "refused: {refusal}"))
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.fqdn, self.action)?;
        self.reasons.iter().try_for_each(|reason| writeln!(f, "  because {reason}"))?;
        let shows_before = matches!(self.action, Action::Change(Change::Move) | Action::RollBack);
        if let Some(before) = self.before.as_ref().filter(|_| shows_before || self.after.is_none()) {
            write_environment(f, "today", before)?;
        }
        match &self.after {
            Some(after) => write_environment(f, "then", after),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "new",
            Self::Change(Change::Same) => "same",
            Self::Change(Change::InPlace) => "in place: same CNAME, same addresses",
            Self::Change(Change::Move) => "move: a new CNAME and new addresses, the old ones serve on",
            Self::RollBack => "roll back to the old environment",
            Self::Close => "close the old environment",
            Self::Remove => "remove",
        })
    }
}

fn write_environment(f: &mut fmt::Formatter<'_>, when: &str, environment: &Environment) -> fmt::Result {
    writeln!(f, "  {when}: {} (environment {})", environment.name, environment.tenant)?;
    for placement in &environment.placements {
        write!(f, "    {} node {}: {}", placement.carrier, placement.node, placement.ipv4)?;
        f.write_str(match placement.strength {
            Strength::Own => " (own: kernel strength per site)",
            Strength::Shared => " (shared: kernel strength per site only once a connection names its site)",
        })?;
        if let Some(ipv6) = placement.ipv6 {
            write!(f, " and {ipv6}")?;
        }
        f.write_str(", reserves")?;
        for (at, measure) in Measure::ALL.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma} {} {measure}", Thousands(placement.reserved.of(measure)))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

impl fmt::Display for NoRoomList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for no_room in self.0 {
            match &no_room.best {
                None => write!(f, "; {}: no active node there", no_room.carrier)?,
                Some((place, shortfalls)) if shortfalls.is_empty() => {
                    write!(f, "; {place} has room below its {LINE_PERCENT} % line")?;
                }
                Some((place, shortfalls)) => {
                    for shortfall in shortfalls {
                        write!(f, "; {place}: {shortfall}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

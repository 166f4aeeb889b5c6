//! `waf rules explain`: one rule in plain words.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use waf_user::engine::{ActedOn, Explanation, LinkWords};

use super::{Found, severity, sources};

/// Characters of an operator's argument that are shown; --json and --whole show all.
const ARGUMENT_SHOWN: usize = 400;

/// Rules that act on this one, and targets of each, that are shown.
const ACTED_SHOWN: usize = 10;
const TARGETS_SHOWN: usize = 5;

/// Say in plain words what one rule looks at, when, and what it does.
///
/// Shows the rule as the engine understood it, after SecRuleUpdate… of the same files: phase, targets, transformations,
/// operator, actions, every link of its chain, and who updates, removes or excludes from it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  waf rules explain 942100                 of the Core Rule Set of Debian's package\n  \
    waf rules explain 942100 /srv/coreruleset --json\n  waf rules explain 100100 my-rules.conf --whole\n\n\
    Exit codes: 0 shown, 1 no such rule, 2 the rules cannot be read, or wrong usage."
)]
pub struct Explain {
    /// The rule's id
    #[arg(value_name = "ID")]
    id: u64,
    /// Rule files, patterns or folders; none: Debian's modsecurity-crs
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Everything, however long: the operator's argument, and all rules that act on this one
    #[arg(long)]
    whole: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self) -> Found {
        let files = sources::read(&self.files)?;
        let rules = sources::compile(&files)?;
        let mut out = io::stdout().lock();
        let Some(explanation) = rules.explain(self.id) else {
            let near = nearest(self.id, &rules.ids());
            if self.json {
                writeln!(out, "{}", json!({"id": self.id, "found": false, "nearest": near}))?;
            } else {
                let near: Vec<String> = near.iter().map(u64::to_string).collect();
                writeln!(out, "no rule {} in these files; the nearest are {}", self.id, near.join(", "))?;
            }
            return Ok(false);
        };
        if self.json {
            writeln!(out, "{}", to_json(&explanation))?;
        } else {
            print(&mut out, &explanation, self.whole)?;
        }
        Ok(true)
    }
}

/// The three ids that are closest.
fn nearest(id: u64, ids: &[u64]) -> Vec<u64> {
    let mut ids = ids.to_vec();
    ids.sort_by_key(|known| known.abs_diff(id));
    ids.truncate(3);
    ids
}

fn print(out: &mut impl Write, e: &Explanation, whole: bool) -> io::Result<()> {
    writeln!(out, "rule {}, {}", e.id, e.place)?;
    if !e.msg.is_empty() {
        writeln!(out, "  says      {}", e.msg)?;
    }
    if !e.logdata.is_empty() {
        writeln!(out, "  with      {}", e.logdata)?;
    }
    writeln!(out, "  phase     {}: {}", e.phase, e.when)?;
    if let Some(number) = e.severity {
        writeln!(out, "  severity  {number} ({})", severity(number))?;
    }
    for (index, link) in e.links.iter().enumerate() {
        print_link(out, index, link, whole)?;
    }
    writeln!(
        out,
        "  then      {}{}",
        e.outcome,
        if e.is_logged { ", and the match is logged" } else { "; nothing is logged" }
    )?;
    if let Some(flow) = &e.flow {
        writeln!(out, "  and       {flow}")?;
    }
    if !e.tags.is_empty() {
        writeln!(out, "  tags      {}", e.tags.join(", "))?;
    }
    for change in &e.changes {
        writeln!(out, "  changed   {change}")?;
    }
    let (rules, targets) = if whole { (usize::MAX, usize::MAX) } else { (ACTED_SHOWN, TARGETS_SHOWN) };
    for other in e.acted_on_by.iter().take(rules) {
        writeln!(out, "  where     {}", acted(other, targets))?;
    }
    if e.acted_on_by.len() > rules {
        writeln!(out, "  where     … {} more (--whole shows all)", e.acted_on_by.len() - rules)?;
    }
    if let Some(place) = &e.removed_by {
        writeln!(out, "  removed   by {place}: it never runs")?;
    }
    Ok(())
}

/// `rule 1 (a.conf:2) matches it is removed`.
fn acted(other: &ActedOn, targets: usize) -> String {
    let lead = format!("rule {} ({}) matches,", other.rule, other.place);
    if other.removes {
        return format!("{lead} this one is removed");
    }
    let shown = other.targets.get(..targets).unwrap_or(&other.targets).join(", ");
    let more = match other.targets.len().saturating_sub(targets) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{lead} it does not look at {shown}{more}")
}

fn print_link(out: &mut impl Write, index: usize, link: &LinkWords, whole: bool) -> io::Result<()> {
    let lead = if index == 0 { "looks at" } else { "and then" };
    if link.operator.is_empty() {
        writeln!(out, "  always")?;
    } else {
        writeln!(out, "  {lead}  {}", link.targets.join(", "))?;
        if !link.excluded.is_empty() {
            writeln!(out, "    but not {}", link.excluded.join(", "))?;
        }
        if !link.transformations.is_empty() {
            let all = if link.multi_match { ", and at each step between" } else { "" };
            writeln!(out, "    after   {}{all}", link.transformations.join(", "))?;
        }
        let shown: String = link.argument.chars().take(ARGUMENT_SHOWN).collect();
        let (text, cut) = match whole || shown.len() == link.argument.len() {
            true => (link.argument.as_str(), ""),
            false => (shown.as_str(), " … (--whole shows all)"),
        };
        let sense = if link.is_negated { "matches where not" } else { "matches where" };
        writeln!(out, "    {sense} {} {text}{cut}", link.operator)?;
    }
    for action in &link.actions {
        writeln!(out, "    does    {action}")?;
    }
    Ok(())
}

fn to_json(e: &Explanation) -> serde_json::Value {
    let link = |link: &LinkWords| {
        json!({
            "targets": link.targets, "excluded": link.excluded, "transformations": link.transformations,
            "multi_match": link.multi_match, "operator": link.operator, "negated": link.is_negated,
            "argument": link.argument, "actions": link.actions,
        })
    };
    json!({
        "id": e.id, "found": true, "place": e.place, "phase": e.phase, "msg": e.msg, "logdata": e.logdata,
        "severity": e.severity, "tags": e.tags, "links": e.links.iter().map(link).collect::<Vec<_>>(),
        "outcome": e.outcome, "flow": e.flow, "logged": e.is_logged, "changes": e.changes,
        "removed_by": e.removed_by, "acted_on_by": e.acted_on_by.iter().map(acted_json).collect::<Vec<_>>(),
    })
}

fn acted_json(other: &ActedOn) -> serde_json::Value {
    json!({"rule": other.rule, "place": other.place, "removes": other.removes, "targets": other.targets})
}

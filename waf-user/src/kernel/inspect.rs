//! `waf kernel inspect`: what is loaded for a node and what it has counted, for people and as JSON.

use std::fmt;

use aya::maps::MapData;
use aya::programs::ProgramInfo;
use serde_json::{Value, json};
use waf_common::names;
use waf_common::outcome::{Counters, OUTCOMES, TenantCounters};
use waf_common::service::{CONFIG_ACTIVE, CONFIG_CPUMAP, Config};

use super::{BlockEntry, KernelError, Maps, Pins, mount, route};
use crate::config::NodeSettings;
use crate::model::Mono;

/// A program of ours in the kernel.
#[derive(Clone, Debug)]
pub struct Program {
    pub name: &'static str,
    pub id: u32,
}

/// How full a map is.
#[derive(Clone, Debug)]
pub struct Fill {
    pub name: &'static str,
    pub id: u32,
    /// None where a count of keys means nothing (arrays, rings).
    pub entries: Option<usize>,
    pub entries_max: u32,
}

/// One look at a node's kernel half.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub node: String,
    pub interface: String,
    /// `native`, `generic`, or `none` when the interface has lost its program.
    pub mode: &'static str,
    pub pins: String,
    pub config: Config,
    pub programs: Vec<Program>,
    pub maps: Vec<Fill>,
    pub counters: Counters,
    pub tenants: Vec<(u32, TenantCounters)>,
    pub blocks: Vec<BlockEntry>,
    pub now_s: u32,
}

/// Reads everything once; nothing is written. Programs are seen by root only.
///
/// # Errors
/// Nothing is loaded, or a map cannot be read.
pub fn inspect(settings: &NodeSettings) -> Result<Inspection, KernelError> {
    let pins = Pins::of(&settings.name);
    if !mount::is_present(&pins) {
        return Err(KernelError::NotLoaded { path: pins.schema() });
    }
    let interface = settings.interface.as_deref().ok_or(KernelError::NoInterface)?;
    let maps = Maps::open(&settings.name)?;
    let programs = [names::PROGRAM_XDP, names::PROGRAM_SK_LOOKUP]
        .into_iter()
        .filter_map(|name| {
            let info = ProgramInfo::from_pin(pins.program(name)).ok()?;
            Some(Program { name, id: info.id() })
        })
        .collect();
    Ok(Inspection {
        node: settings.name.to_string(),
        interface: interface.to_owned(),
        mode: route::interface(interface)?.xdp.map_or("none", |xdp| xdp.mode),
        config: maps.config()?,
        programs,
        maps: names::MAPS.into_iter().map(|name| fill(&pins, name, &maps)).collect::<Result<_, _>>()?,
        counters: maps.counters()?,
        tenants: maps.tenant_counters()?,
        blocks: maps.blocks(),
        now_s: Mono::now().seconds(),
        pins: pins.schema().display().to_string(),
    })
}

fn fill(pins: &Pins, name: &'static str, maps: &Maps) -> Result<Fill, KernelError> {
    let path = pins.map(name);
    let data = MapData::from_pin(&path)
        .map_err(|source| KernelError::Open { path: path.clone(), source: Box::new(source) })?;
    let info = data.info().map_err(|source| KernelError::map("inspect", name, source))?;
    Ok(Fill { name, id: info.id(), entries: maps.len(name)?, entries_max: info.max_entries() })
}

impl Inspection {
    /// Seconds that an entry still holds; none = for ever.
    fn left_s(&self, entry: &BlockEntry) -> Option<u32> {
        (entry.expires_s != 0).then(|| entry.expires_s.saturating_sub(self.now_s))
    }

    fn has(&self, flag: u32) -> bool {
        self.config.flags & flag != 0
    }

    /// One object with the same facts as the table.
    pub fn to_json(&self) -> Value {
        let counters: serde_json::Map<String, Value> = OUTCOMES
            .iter()
            .map(|outcome| (outcome.name().to_owned(), self.counters.of(*outcome).into()))
            .collect();
        let generation = u64::from(self.config.generation_high) << 32 | u64::from(self.config.generation_low);
        json!({
            "node": self.node,
            "interface": self.interface,
            "mode": self.mode,
            "pins": self.pins,
            "active": self.has(CONFIG_ACTIVE),
            "cpumap": self.has(CONFIG_CPUMAP),
            "event_sample": self.config.event_sample,
            "generation": generation,
            "programs": self.programs.iter().map(|p| json!({"name": p.name, "id": p.id})).collect::<Vec<_>>(),
            "maps": self.maps.iter().map(|m| json!({
                "name": m.name, "id": m.id, "entries": m.entries, "entries_max": m.entries_max,
            })).collect::<Vec<_>>(),
            "counters": counters,
            "tenants": self.tenants.iter().map(|(tenant, c)| json!({
                "tenant": tenant, "packets": c.packets, "bytes": c.bytes, "drops": c.drops, "syns": c.syns,
            })).collect::<Vec<_>>(),
            "blocks": self.blocks.iter().map(|b| json!({
                "scope": b.scope, "prefix": b.prefix.to_string(), "reason": b.reason as u32, "tenant": b.tenant,
                "left_s": self.left_s(b),
            })).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.has(CONFIG_ACTIVE) { "active" } else { "passing everything" };
        writeln!(f, "node {} on {} ({}), {state}; pins {}", self.node, self.interface, self.mode, self.pins)?;
        for program in &self.programs {
            writeln!(f, "program {:<15} id {}", program.name, program.id)?;
        }
        for map in &self.maps {
            match map.entries {
                Some(entries) => {
                    writeln!(f, "map {:<15} id {:<5} {entries} of {}", map.name, map.id, map.entries_max)?;
                }
                None => writeln!(f, "map {:<15} id {:<5}", map.name, map.id)?,
            }
        }
        for outcome in OUTCOMES {
            writeln!(f, "{:>12}  {:<17} {}", self.counters.of(*outcome), outcome.name(), outcome.text())?;
        }
        for (tenant, c) in &self.tenants {
            let TenantCounters { packets, bytes, drops, syns, .. } = c;
            writeln!(f, "tenant {tenant}: {packets} packets, {bytes} bytes, {drops} drops, {syns} SYNs")?;
        }
        for block in &self.blocks {
            let scope = Scope(block.scope);
            write!(f, "block {} for {scope}, {:?}", block.prefix, block.reason)?;
            match self.left_s(block) {
                Some(left_s) => writeln!(f, ", {left_s} s left")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

/// A scope's number in words.
struct Scope(u32);

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use waf_common::block::{SCOPE_ADDRESS_BIT, SCOPE_NODE};
        match self.0 {
            SCOPE_NODE => f.write_str("the node"),
            scope if scope & SCOPE_ADDRESS_BIT != 0 => write!(f, "address {}", scope & !SCOPE_ADDRESS_BIT),
            tenant => write!(f, "tenant {tenant}"),
        }
    }
}

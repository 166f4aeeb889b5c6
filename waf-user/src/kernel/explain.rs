//! `waf explain-packet`: one frame -> the whole way of its decision. The answer is the kernel's: the object runs once by
//! BPF_PROG_TEST_RUN on the live maps, with counters and rings of its own, so that nothing is counted and no report is
//! sent. The way to it is read from the same maps; where both disagree that is said.

use std::net::IpAddr;
use std::path::Path;

use aya::maps::{MapData, PerCpuArray};
use aya::programs::{ProgramInfo, TestRun, TestRunOptions, Xdp};
use bytemuck::Zeroable;
use nix::unistd::Uid;
use waf_common::block::{SCOPE_NODE, scope_address};
use waf_common::names;
use waf_common::outcome::{Counters, OUTCOMES, Outcome};
use waf_common::packet::{Fragment, PROTOCOL_TCP, PROTOCOL_UDP, Packet, Parsed, parse};
use waf_common::service::{CONFIG_ACTIVE, CONFIG_DROP_FRAGMENTS, ServiceValue};
use waf_common::steer::flow_hash;

use super::log::LogLevel;
use super::{BlockEntry, KernelError, Maps, Pins, mount, object};
use crate::config::NodeSettings;
use crate::model::Mono;

/// Maps that the run gets anew, because it writes them.
const OWN_MAPS: [&str; 4] =
    [names::MAP_COUNTERS, names::MAP_TENANT_COUNTERS, names::MAP_EVENTS, names::MAP_LOG];
/// Ethernet's header: BPF_PROG_TEST_RUN takes no shorter frame.
pub const FRAME_BYTES_MIN: usize = 14;

/// What one scope's lists hold for the source.
#[derive(Clone, Debug)]
pub struct ScopeStep {
    /// `node`, `address` or `tenant`, in the order in which they are asked.
    pub scope: &'static str,
    pub number: u32,
    /// The allow prefix that covers the source.
    pub allow: Option<ipnet::IpNet>,
    /// The block entry that covers the source, live or not.
    pub block: Option<BlockEntry>,
    pub is_live: bool,
}

/// The whole way.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub parsed: Parsed,
    pub is_active: bool,
    /// The service of address, protocol and port, or the address's own entry.
    pub service: Option<ServiceValue>,
    /// Whether `service` is that of the port (else of the address).
    pub is_exact_service: bool,
    /// The flow's tenant on a shared address.
    pub flow_tenant: Option<u32>,
    pub scopes: Vec<ScopeStep>,
    /// The worker that the flow's hash names.
    pub worker: Option<u16>,
    /// The kernel's answer.
    pub outcome: Outcome,
    /// `PASS`, `DROP`, `REDIRECT` or `ABORTED`.
    pub action: &'static str,
    /// What the maps make one expect, where it is another answer: they changed meanwhile, or one of us is wrong.
    pub disagrees: Option<Outcome>,
    pub now_s: u32,
}

/// Runs a frame. Root: the program is loaded for a moment.
///
/// # Errors
/// Nothing is loaded, the object is not the one that is attached, or the kernel refuses the frame.
pub fn explain(
    settings: &NodeSettings,
    path: Option<&Path>,
    frame: &[u8],
) -> Result<Explanation, KernelError> {
    if !Uid::effective().is_root() {
        return Err(KernelError::NeedsRoot { action: "running a frame through the filter" });
    }
    if frame.len() < FRAME_BYTES_MIN {
        return Err(KernelError::ShortFrame { bytes: frame.len(), min: FRAME_BYTES_MIN });
    }
    let pins = Pins::of(&settings.name);
    if !mount::is_present(&pins) {
        return Err(KernelError::NotLoaded { path: pins.schema() });
    }
    let (outcome, action) = run(&pins, path.unwrap_or(&settings.kernel_object), frame)?;
    let maps = Maps::open(&settings.name)?;
    let mut explanation = Explanation {
        parsed: parse(frame),
        is_active: maps.config()?.flags & CONFIG_ACTIVE != 0,
        service: None,
        is_exact_service: false,
        flow_tenant: None,
        scopes: Vec::new(),
        worker: None,
        outcome,
        action,
        disagrees: None,
        now_s: Mono::now().seconds(),
    };
    if let Parsed::Ip(packet) = explanation.parsed {
        explanation.follow(&packet, &maps)?;
    }
    let expected = explanation.expected(&maps)?;
    explanation.disagrees = expected.filter(|expected| *expected != outcome);
    Ok(explanation)
}

/// One run of the program that is attached, as the object has it.
fn run(pins: &Pins, path: &Path, frame: &[u8]) -> Result<(Outcome, &'static str), KernelError> {
    let name = names::PROGRAM_XDP;
    let data = object::read(path)?;
    object::check_maps(&data, path, pins)?;
    let shared: Vec<&'static str> = names::MAPS.into_iter().filter(|name| !OWN_MAPS.contains(name)).collect();
    let mut ebpf = object::load_on(&data, path, LogLevel::Off, pins, &shared)?;
    let failed =
        |source: aya::programs::ProgramError| KernelError::Program { name, source: Box::new(source) };
    let program: &mut Xdp = object::program_mut(&mut ebpf, name)?;
    program.load().map_err(failed)?;
    let attached = ProgramInfo::from_pin(pins.program(name)).map_err(failed)?;
    let ours = program.info().map_err(failed)?;
    if ours.tag() != attached.tag() {
        return Err(KernelError::OtherObject {
            path: path.to_owned(),
            found: ours.tag(),
            attached: attached.tag(),
        });
    }
    let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::new() };
    let result = program.test_run(options).map_err(failed)?;
    let map = ebpf
        .map(names::MAP_COUNTERS)
        .ok_or(KernelError::Missing { what: "map", name: names::MAP_COUNTERS })?;
    let read = |source| KernelError::map("read", names::MAP_COUNTERS, source);
    let counters: PerCpuArray<&MapData, Counters> = PerCpuArray::try_from(map).map_err(read)?;
    let mut sum = Counters::zeroed();
    counters.get(&0, 0).map_err(read)?.iter().for_each(|value| sum.add(value));
    let outcome = OUTCOMES.iter().find(|outcome| sum.of(**outcome) > 0).copied();
    let outcome = outcome.ok_or(KernelError::Missing { what: "outcome of", name })?;
    Ok((outcome, action_word(result.return_value)))
}

/// Actions of `linux/bpf.h`.
fn action_word(action: u32) -> &'static str {
    match action {
        1 => "DROP",
        2 => "PASS",
        3 => "TX",
        4 => "REDIRECT",
        _ => "ABORTED",
    }
}

impl Explanation {
    /// Looks up what the kernel looks up, and more: also the scopes behind the one that decides.
    fn follow(&mut self, packet: &Packet, maps: &Maps) -> Result<(), KernelError> {
        let has_ports = matches!(packet.protocol, PROTOCOL_TCP | PROTOCOL_UDP)
            && packet.malformed.is_none()
            && packet.fragment != Fragment::Later;
        let (port, protocol) = if has_ports { (packet.destination_port, packet.protocol) } else { (0, 0) };
        self.service = maps.service(packet.destination, port, protocol)?;
        self.is_exact_service = has_ports && self.service.is_some();
        let Some(service) = self.service else { return Ok(()) };

        let source = IpAddr::from(packet.source);
        if service.tenant == 0 && packet.protocol == PROTOCOL_TCP && !packet.is_syn() {
            let end = |address: waf_common::address::Address, port| (IpAddr::from(address), port).into();
            self.flow_tenant = maps.flow_tenant(
                end(packet.source, packet.source_port),
                end(packet.destination, packet.destination_port),
            );
        }
        let tenant = self.tenant();
        let (allows, blocks) = (maps.allows()?, maps.blocks());
        let known = (tenant != 0).then_some(("tenant", tenant));
        let wider = [("node", SCOPE_NODE), ("address", scope_address(service.address_id))];
        for (scope, number) in wider.into_iter().chain(known) {
            let covering =
                blocks.iter().filter(|entry| entry.scope == number && entry.prefix.contains(&source));
            // A live entry decides whatever its length; among equals the most specific is the one to name.
            let block =
                covering.max_by_key(|entry| (self.is_live(entry), entry.prefix.prefix_len())).copied();
            let allow = allows.iter().filter(|entry| entry.scope == number && entry.prefix.contains(&source));
            self.scopes.push(ScopeStep {
                scope,
                number,
                allow: allow.max_by_key(|entry| entry.prefix.prefix_len()).map(|entry| entry.prefix),
                is_live: block.is_some_and(|entry| self.is_live(&entry)),
                block,
            });
        }
        if self.is_exact_service {
            let hash =
                flow_hash(&packet.source, packet.source_port, &packet.destination, packet.destination_port);
            self.worker = maps.worker_set(service.worker_set)?.and_then(|set| set.pick(hash));
        }
        Ok(())
    }

    fn is_live(&self, entry: &BlockEntry) -> bool {
        entry.expires_s == 0 || self.now_s < entry.expires_s
    }

    /// The tenant that the kernel knows, or 0.
    pub fn tenant(&self) -> u32 {
        match self.service {
            Some(service) if service.tenant != 0 => service.tenant,
            _ => self.flow_tenant.unwrap_or(0),
        }
    }

    /// The scope whose live entry decides, unless an allow skips it.
    pub fn refusing(&self) -> Option<&ScopeStep> {
        let allows = |scope: &str| self.scopes.iter().any(|step| step.scope == scope && step.allow.is_some());
        let step = self.scopes.iter().find(|step| step.is_live)?;
        let skipped = allows("node") || (step.scope != "node" && allows("tenant"));
        (!skipped).then_some(step)
    }

    /// What the maps make one expect; nothing where only the kernel can tell (CPUMAP, prefixes without a service).
    fn expected(&self, maps: &Maps) -> Result<Option<Outcome>, KernelError> {
        if !self.is_active {
            return Ok(Some(Outcome::PassInactive));
        }
        let packet = match self.parsed {
            Parsed::NotIp => return Ok(Some(Outcome::PassNotIp)),
            Parsed::Unaddressed(_) => return Ok(Some(Outcome::PassHost)),
            Parsed::Ip(packet) => packet,
        };
        if packet.is_vital_icmp() {
            return Ok(Some(Outcome::PassIcmp));
        }
        if self.service.is_none() {
            return Ok(None);
        }
        if packet.malformed.is_some() {
            return Ok(Some(Outcome::DropMalformed));
        }
        let is_later = packet.fragment == Fragment::Later;
        if !self.is_exact_service && !is_later && !packet.is_icmp() {
            return Ok(None);
        }
        if packet.is_fragment() && maps.config()?.flags & CONFIG_DROP_FRAGMENTS != 0 {
            return Ok(Some(Outcome::DropFragment));
        }
        Ok(match self.refusing().map(|step| step.scope) {
            Some("node") => Some(Outcome::DropNode),
            Some("address") => Some(Outcome::DropAddress),
            Some(_) => Some(Outcome::DropTenant),
            None if self.is_exact_service && self.outcome == Outcome::PassSteered => None,
            None if self.is_exact_service => Some(Outcome::PassService),
            None if is_later => Some(Outcome::PassFragment),
            None => Some(Outcome::PassIcmp),
        })
    }
}

//! `waf kernel load`: object -> programs attached and pinned, maps pinned for the node's user, routes for the service
//! prefixes. It passes every packet until a node activates it. On any failure it undoes what it made.

use std::fs::File;
use std::path::Path;

use aya::maps::{Array, CpuMap, LpmTrie, MapData};
use aya::programs::links::FdLink;
use aya::programs::xdp::XdpMode as AyaMode;
use aya::programs::{SkLookup, Xdp};
use aya::Ebpf;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::utsname::uname;
use nix::unistd::{Gid, Pid, Uid};
use waf_common::address::{PREFIX_ONLY_SERVICES, PrefixKey, PrefixValue};
use waf_common::limits::WORKERS_MAX;
use waf_common::names;
use waf_common::service::Config;

use super::log::LogLevel;
use super::object::{self, program_mut};
use super::{KernelError, Pins, keys, mount, route, shape};
use crate::config::{NodeSettings, XdpMode};

/// The coarse clock (`bpf_ktime_get_coarse_ns`) came with 5.11.
const KERNEL_MIN: (u32, u32) = (5, 11);
/// Packets that wait for one CPU before CPUMAP drops: about 10 ms at 200,000 packets a second.
const CPU_QUEUE_PACKETS: u32 = 2048;
const GROUP_MAPS_MODE: u32 = 0o660;
pub(super) const ROOT_ONLY_MODE: u32 = 0o600;

/// What was obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub interface: String,
    /// `native` or `generic`, as the kernel says.
    pub mode: &'static str,
    pub pins: Pins,
}

/// Loads, attaches and pins. Root, in the network namespace of the calling thread.
///
/// # Errors
/// See [`KernelError`]; nothing is left behind, and what was there before is untouched.
pub fn load(
    settings: &NodeSettings,
    object: Option<&Path>,
    level: LogLevel,
) -> Result<Loaded, KernelError> {
    if !Uid::effective().is_root() {
        return Err(KernelError::NeedsRoot { action: "loading the kernel half" });
    }
    let interface = settings.interface.as_deref().ok_or(KernelError::NoInterface)?;
    check_release(uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default())?;
    let pins = Pins::of(&settings.name);
    if pins.link(names::PROGRAM_XDP).exists() {
        return Err(KernelError::AlreadyLoaded { path: pins.schema() });
    }
    if mount::is_present(&pins) {
        return Err(KernelError::LeftOver { path: pins.mount() });
    }
    let group = mount::group_of(&settings.user)?;
    let found = route::interface(interface)?;
    if let Some(xdp) = found.xdp {
        return Err(foreign(interface, xdp));
    }

    let undo = Undo(&pins);
    let path = object.unwrap_or(&settings.kernel_object);
    let ebpf = object::load(&object::read(path)?, path, level)?;
    make(ebpf, settings, &pins, group, (interface, found.index))?;
    undo.disarm();

    let mode = route::interface(interface)?.xdp.map_or("none", |xdp| xdp.mode);
    Ok(Loaded { interface: interface.to_owned(), mode, pins })
}

/// Takes all pins and directories away again unless the load came to its end; programs and maps go with their handles.
struct Undo<'a>(&'a Pins);

impl Undo<'_> {
    fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        // The first error is the one to report; what cannot be undone is left for `waf kernel unload`.
        let _ = mount::remove(self.0);
    }
}

fn make(
    mut ebpf: Ebpf,
    settings: &NodeSettings,
    pins: &Pins,
    group: Gid,
    (interface, index): (&str, u32),
) -> Result<(), KernelError> {
    mount::make(pins, group)?;
    fill(&mut ebpf, settings)?;
    pin_maps(&ebpf, pins, group)?;
    attach_sk_lookup(&mut ebpf, pins)?;
    route::add(&settings.service_prefixes)?;
    // Last: from here on packets meet the filter.
    let attached = attach_xdp(&mut ebpf, pins, settings.xdp_mode, (interface, index));
    if attached.is_err() {
        let _ = route::remove(&settings.service_prefixes);
    }
    attached
}

/// CONFIG that passes everything, PREFIXES, and the CPUs of workers.
fn fill(ebpf: &mut Ebpf, settings: &NodeSettings) -> Result<(), KernelError> {
    let name = names::MAP_CONFIG;
    let mut config: Array<&mut MapData, Config> = map_mut(ebpf, name)?;
    let passes = Config { flags: 0, event_sample: 0, generation_low: 0, generation_high: 0 };
    config.set(0, passes, 0).map_err(|source| KernelError::map("write", name, source))?;

    let name = names::MAP_PREFIXES;
    let flags = if settings.only_services { PREFIX_ONLY_SERVICES } else { 0 };
    let mut prefixes: LpmTrie<&mut MapData, PrefixKey, PrefixValue> = map_mut(ebpf, name)?;
    for prefix in &settings.service_prefixes {
        prefixes
            .insert(&keys::service_prefix(prefix), PrefixValue { flags }, 0)
            .map_err(|source| KernelError::map("write", name, source))?;
    }

    let cpus = affinity();
    let name = names::MAP_WORKER_CPUS;
    let mut worker_cpus: Array<&mut MapData, u32> = map_mut(ebpf, name)?;
    for worker in 0..WORKERS_MAX {
        let Some(cpu) = cpus.get(worker % cpus.len().max(1)) else { break };
        worker_cpus.set(worker as u32, *cpu, 0).map_err(|source| KernelError::map("write", name, source))?;
    }
    if settings.cpumap {
        let name = names::MAP_CPUS;
        let mut queues: CpuMap<&mut MapData> = map_mut(ebpf, name)?;
        for cpu in cpus.into_iter().filter(|cpu| (*cpu as usize) < WORKERS_MAX) {
            queues
                .set(cpu, CPU_QUEUE_PACKETS, None, 0)
                .map_err(|source| KernelError::map("write", name, source))?;
        }
    }
    Ok(())
}

fn pin_maps(ebpf: &Ebpf, pins: &Pins, group: Gid) -> Result<(), KernelError> {
    for name in names::MAPS {
        let map = ebpf.map(name).ok_or(KernelError::Missing { what: "map", name })?;
        let path = pins.map(name);
        map.pin(&path).map_err(|source| KernelError::Pin { path: path.clone(), source: Box::new(source) })?;
        let data = MapData::from_pin(&path)
            .map_err(|source| KernelError::Open { path: path.clone(), source: Box::new(source) })?;
        shape::check(&path, name, &data)?;
        mount::own(&path, group, GROUP_MAPS_MODE)?;
    }
    Ok(())
}

fn attach_sk_lookup(ebpf: &mut Ebpf, pins: &Pins) -> Result<(), KernelError> {
    let name = names::PROGRAM_SK_LOOKUP;
    let program: &mut SkLookup = program_mut(ebpf, name)?;
    program.load().map_err(|source| KernelError::Program { name, source: Box::new(source) })?;
    pin(pins.program(name), |path| program.pin(path))?;
    let target = || "this network namespace".to_owned();
    let namespace = File::open("/proc/thread-self/ns/net").map_err(|source| KernelError::Attach {
        name,
        target: target(),
        source: Box::new(source),
    })?;
    let link = program
        .attach(namespace)
        .and_then(|id| program.take_link(id))
        .map_err(|source| KernelError::Attach { name, target: target(), source: Box::new(source) })?;
    pin(pins.link(name), |path| FdLink::from(link).pin(path))
}

/// Native first, then generic, under `auto`.
fn attach_xdp(
    ebpf: &mut Ebpf,
    pins: &Pins,
    mode: XdpMode,
    (interface, index): (&str, u32),
) -> Result<(), KernelError> {
    let name = names::PROGRAM_XDP;
    let program: &mut Xdp = program_mut(ebpf, name)?;
    program.load().map_err(|source| KernelError::Program { name, source: Box::new(source) })?;
    pin(pins.program(name), |path| program.pin(path))?;
    let link = match mode {
        XdpMode::Native => link_xdp(program, index, AyaMode::Driver),
        XdpMode::Generic => link_xdp(program, index, AyaMode::Skb),
        XdpMode::Auto => {
            link_xdp(program, index, AyaMode::Driver).or_else(|_| link_xdp(program, index, AyaMode::Skb))
        }
    };
    let link = link.map_err(|source| KernelError::Attach { name, target: interface.to_owned(), source })?;
    pin(pins.link(name), |path| link.pin(path))
}

/// A link that can be pinned; the netlink attachment that aya falls back to cannot, and goes with its handle.
fn link_xdp(
    program: &mut Xdp,
    index: u32,
    mode: AyaMode,
) -> Result<FdLink, Box<dyn std::error::Error + Send + Sync>> {
    let id = program.attach_to_if_index(index, mode)?;
    let link = program.take_link(id)?;
    FdLink::try_from(link).map_err(|source| Box::new(source) as _)
}

/// Pins for root alone.
pub(super) fn pin<T>(
    path: std::path::PathBuf,
    pin: impl FnOnce(&Path) -> Result<T, aya::pin::PinError>,
) -> Result<(), KernelError> {
    pin(&path).map_err(|source| KernelError::Pin { path: path.clone(), source: Box::new(source) })?;
    mount::own(&path, Gid::from_raw(0), ROOT_ONLY_MODE)
}

fn map_mut<'a, M>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<M, KernelError>
where
    M: TryFrom<&'a mut aya::maps::Map, Error = aya::maps::MapError>,
{
    let map = ebpf.map_mut(name).ok_or(KernelError::Missing { what: "map", name })?;
    M::try_from(map).map_err(|source| KernelError::map("use", name, source))
}

/// A release that cannot be read is left to the verifier.
fn check_release(release: String) -> Result<(), KernelError> {
    let mut numbers = release.split(['.', '-', '+']).map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) < KERNEL_MIN => Err(KernelError::OldKernel { release }),
        _ => Ok(()),
    }
}

/// CPUs that this process may run on, in order: worker i runs on the i-th.
fn affinity() -> Vec<u32> {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return vec![0] };
    (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false)).map(|cpu| cpu as u32).collect()
}

/// The refusal of an interface that another's program stands on, by its name.
pub(super) fn foreign(interface: &str, xdp: route::AttachedXdp) -> KernelError {
    let program = aya::programs::loaded_programs()
        .flatten()
        .find(|program| program.id() == xdp.program_id)
        .and_then(|program| program.name_as_str().map(str::to_owned))
        .unwrap_or_else(|| "(no name)".to_owned());
    let off = match xdp.mode {
        "native" => "xdpdrv",
        "generic" => "xdpgeneric",
        "offload" => "xdpoffload",
        _ => "xdp",
    };
    KernelError::Foreign { interface: interface.to_owned(), program, id: xdp.program_id, mode: xdp.mode, off }
}

#[cfg(test)]
mod tests;

//! What the kernel half was loaded with, as the kernel tells it, against what node.toml asks for now. Nothing is written.

use std::collections::BTreeMap;

use aya::maps::{LpmTrie, MapData};
use ipnet::IpNet;
use waf_common::address::{PREFIX_ONLY_SERVICES, PrefixKey, PrefixValue};
use waf_common::names;

use super::{KernelError, Pins, keys, maps, route};
use crate::config::NodeSettings;

/// Gives the mode of the XDP program, `native` or `generic`. In the network namespace of the calling thread.
///
/// # Errors
/// The interface has lost its program (it was made anew, for example), or the service prefixes are others.
pub fn check_loaded(settings: &NodeSettings) -> Result<&'static str, KernelError> {
    let interface = settings.interface.as_deref().ok_or(KernelError::NoInterface)?;
    let attached = route::interface(interface)?.xdp;
    let attached = attached.ok_or_else(|| KernelError::Detached { interface: interface.to_owned() })?;
    let only_services = |flags: u32| flags & PREFIX_ONLY_SERVICES != 0;
    let loaded: BTreeMap<IpNet, bool> = prefixes(&Pins::of(&settings.name))?
        .into_iter()
        .map(|(prefix, flags)| (prefix, only_services(flags)))
        .collect();
    let wanted: BTreeMap<IpNet, bool> =
        settings.service_prefixes.iter().map(|prefix| (*prefix, settings.only_services)).collect();
    if loaded != wanted {
        return Err(KernelError::OtherPrefixes { loaded: listed(&loaded), wanted: listed(&wanted) });
    }
    Ok(attached.mode)
}

/// PREFIXES: each service prefix with its flags.
///
/// # Errors
/// The map cannot be opened or read.
pub(super) fn prefixes(pins: &Pins) -> Result<Vec<(IpNet, u32)>, KernelError> {
    let name = names::MAP_PREFIXES;
    let trie: LpmTrie<MapData, PrefixKey, PrefixValue> = maps::open(pins, name)?;
    let mut prefixes = Vec::new();
    for pair in trie.iter() {
        let (key, value) = pair.map_err(|source| KernelError::map("read", name, source))?;
        prefixes.extend(keys::from_service_prefix(&key).map(|prefix| (prefix, value.flags)));
    }
    Ok(prefixes)
}

fn listed(prefixes: &BTreeMap<IpNet, bool>) -> String {
    let words: Vec<String> = prefixes
        .iter()
        .map(|(prefix, only_services)| {
            let suffix = if *only_services { "" } else { " without only_services" };
            format!("{prefix}{suffix}")
        })
        .collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

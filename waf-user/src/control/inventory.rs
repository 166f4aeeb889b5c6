//! What we run: nodes at carriers, with their addresses and what they can carry. An [`Inventory`] is in the order of its
//! nodes' names, whatever order they were given in. What is served on the nodes is not known here.

mod pool;

pub use pool::Pool;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::capacity::{Measure, RATE_MAX, Rates};
use super::sheet::Residency;
use crate::model::{Carrier, NodeName, TenantId};

/// Nodes of one fleet: a plan looks at each of them.
const NODES_MAX: usize = 10_000;
/// An IPv6 prefix longer than this has not an address for every [`TenantId`].
const IPV6_PREFIX_LEN_MAX: u8 = 96;
/// Characters of a region's name.
const REGION_LEN_MAX: usize = 64;
/// Addresses that one node speaks to origins from.
const SOURCES_MAX: usize = 16;

/// Where a node stands, as the operator calls it. Never shown to a customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region(pub String);

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a node is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NodeState {
    #[default]
    Active,
    /// Serves what it has, takes nothing more, is to be emptied.
    Draining,
    /// Gone for good. A node that is merely down stays active: the other carrier serves meanwhile.
    Dead,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub name: NodeName,
    pub carrier: Carrier,
    pub region: Region,
    pub residency: Residency,
    pub capacity: Rates,
    pub ipv4: Pool,
    /// At most a /96: an environment's address is the prefix and its number.
    pub ipv6: Option<Ipv6Net>,
    /// What it reaches origins from.
    pub sources: Vec<IpAddr>,
    pub state: NodeState,
}

impl Node {
    /// An environment's IPv6 address here. As the number is never used again, neither is the address.
    pub fn ipv6_of(&self, tenant: TenantId) -> Option<Ipv6Addr> {
        let prefix = self.ipv6?;
        Some(Ipv6Addr::from(u128::from(prefix.network()) | u128::from(tenant.number())))
    }

    /// A source that sites are served on, with its prefix: the filter would drop what origins answer there. An operator is
    /// refused it; a fleet that has it from before is read all the same, for it is to be mended with control running.
    pub fn source_that_serves(&self) -> Option<(IpAddr, IpNet)> {
        let served = self.ipv4.networks().iter().copied().map(IpNet::V4);
        let served = served.chain(self.ipv6.map(IpNet::V6));
        let mut each = served.flat_map(|prefix| self.sources.iter().map(move |source| (*source, prefix)));
        each.find(|(source, prefix)| prefix.contains(source))
    }
}

/// What is wrong with the inventory, each with the node it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    #[error("{0} nodes are more than {NODES_MAX}")]
    Nodes(usize),
    #[error("node {0} is there twice")]
    Twice(NodeName),
    #[error(
        "node {node}: capacity of {value} {measure} is outside 1..{RATE_MAX}; measure it with waf bench capacity"
    )]
    Capacity { node: NodeName, measure: Measure, value: u64 },
    #[error("node {0} has no IPv4 address; every site needs one on it")]
    NoIpv4(NodeName),
    #[error(
        "node {node}: {prefix} is longer than /{IPV6_PREFIX_LEN_MAX} and has not an address for every environment"
    )]
    Ipv6Prefix { node: NodeName, prefix: Ipv6Net },
    #[error("nodes {one} and {other} both have {prefix}")]
    Overlap { one: NodeName, other: NodeName, prefix: IpNet },
    #[error("node {0} needs 1 to {SOURCES_MAX} source addresses; customers open their firewalls for them")]
    Sources(NodeName),
    #[error("node {0}: a region's name has 1 to {REGION_LEN_MAX} characters")]
    Region(NodeName),
}

/// All nodes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    nodes: Vec<Node>,
    places: BTreeMap<NodeName, usize>,
    carriers: Vec<Carrier>,
    /// For each node, the place of its carrier in `carriers`.
    carrier_places: Vec<usize>,
}

impl Inventory {
    /// # Errors
    /// Everything that is wrong with the nodes.
    pub fn new(mut nodes: Vec<Node>) -> Result<Self, Vec<InventoryError>> {
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut errors = Vec::new();
        if nodes.len() > NODES_MAX {
            errors.push(InventoryError::Nodes(nodes.len()));
        }
        nodes.iter().for_each(|node| find_errors(node, &mut errors));
        for (one, other) in nodes.iter().zip(nodes.iter().skip(1)) {
            if one.name == other.name {
                errors.push(InventoryError::Twice(one.name.clone()));
            }
        }
        find_overlaps(&nodes, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let carriers: BTreeSet<&Carrier> = nodes.iter().map(|node| &node.carrier).collect();
        let carriers: Vec<Carrier> = carriers.into_iter().cloned().collect();
        let carrier_places = nodes
            .iter()
            .map(|node| carriers.binary_search(&node.carrier).expect("collected from the nodes above"))
            .collect();
        let places = nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
        Ok(Self { nodes, places, carriers, carrier_places })
    }

    /// In the order of their names.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn node(&self, name: &NodeName) -> Option<&Node> {
        self.nodes.get(self.place_of(name)?)
    }

    /// The place of a node in [`Self::nodes`].
    pub fn place_of(&self, name: &NodeName) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// In the order of their names.
    pub fn carriers(&self) -> &[Carrier] {
        &self.carriers
    }

    /// Each node with the place of its carrier, in the order of [`Self::nodes`].
    pub fn with_carriers(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.carrier_places.iter().copied().zip(&self.nodes)
    }
}

fn find_errors(node: &Node, errors: &mut Vec<InventoryError>) {
    for measure in Measure::ALL {
        let value = node.capacity.of(measure);
        if !(1..=RATE_MAX).contains(&value) {
            errors.push(InventoryError::Capacity { node: node.name.clone(), measure, value });
        }
    }
    if node.ipv4.is_empty() {
        errors.push(InventoryError::NoIpv4(node.name.clone()));
    }
    if let Some(prefix) = node.ipv6.filter(|prefix| prefix.prefix_len() > IPV6_PREFIX_LEN_MAX) {
        errors.push(InventoryError::Ipv6Prefix { node: node.name.clone(), prefix });
    }
    if node.sources.is_empty() || node.sources.len() > SOURCES_MAX {
        errors.push(InventoryError::Sources(node.name.clone()));
    }
    if node.region.0.is_empty() || node.region.0.chars().count() > REGION_LEN_MAX {
        errors.push(InventoryError::Region(node.name.clone()));
    }
}

/// Sorted by first address, a prefix can only overlap one that began before it and has not ended.
fn find_overlaps(nodes: &[Node], errors: &mut Vec<InventoryError>) {
    let mut prefixes: Vec<(IpNet, &NodeName)> = Vec::new();
    for node in nodes {
        prefixes.extend(node.ipv4.networks().iter().map(|network| (IpNet::V4(*network), &node.name)));
        prefixes.extend(node.ipv6.map(|prefix| (IpNet::V6(prefix), &node.name)));
    }
    prefixes.sort_by_key(|(prefix, name)| (prefix.network(), prefix.prefix_len(), *name));
    let mut widest: Option<(IpNet, &NodeName)> = None;
    for (prefix, name) in prefixes {
        match widest {
            Some((wide, one)) if wide.contains(&prefix) => {
                let (one, other) = (one.clone(), name.clone());
                errors.push(InventoryError::Overlap { one, other, prefix });
            }
            _ => widest = Some((prefix, name)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;

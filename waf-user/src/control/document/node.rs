//! A node of the inventory as a document.

use std::net::IpAddr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::{DocumentError, Naming};
use crate::control::capacity::Rates;
use crate::control::inventory::{Node, NodeState, Pool, Region};
use crate::control::sheet::Residency;
use crate::model::{Carrier, NodeName};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeDocument {
    pub name: String,
    pub carrier: String,
    pub region: String,
    pub residency: String,
    /// `active`, `draining` or `dead`.
    pub state: String,
    pub ipv4: Vec<Ipv4Net>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6Net>,
    pub sources: Vec<IpAddr>,
    pub capacity: Rates,
}

impl From<&Node> for NodeDocument {
    fn from(node: &Node) -> Self {
        Self {
            name: node.name.to_string(),
            carrier: node.carrier.to_string(),
            region: node.region.0.clone(),
            residency: node.residency.to_string(),
            state: word_of(node.state).to_owned(),
            ipv4: node.ipv4.networks().to_vec(),
            ipv6: node.ipv6,
            sources: node.sources.clone(),
            capacity: node.capacity,
        }
    }
}

impl TryFrom<NodeDocument> for Node {
    type Error = DocumentError;

    fn try_from(document: NodeDocument) -> Result<Self, DocumentError> {
        let naming = Naming { what: "node", name: &document.name };
        let state = state_of(&document.state).ok_or("is none of active, draining, dead");
        Ok(Self {
            name: naming.read("name", NodeName::new(&document.name))?,
            carrier: naming.read("carrier", Carrier::new(&document.carrier))?,
            region: Region(document.region.clone()),
            residency: naming.read("residency", Residency::new(&document.residency))?,
            capacity: document.capacity,
            ipv4: naming.read("ipv4", Pool::new(document.ipv4))?,
            ipv6: document.ipv6,
            sources: document.sources,
            state: naming.read("state", state)?,
        })
    }
}

fn word_of(state: NodeState) -> &'static str {
    match state {
        NodeState::Active => "active",
        NodeState::Draining => "draining",
        NodeState::Dead => "dead",
    }
}

fn state_of(word: &str) -> Option<NodeState> {
    [NodeState::Active, NodeState::Draining, NodeState::Dead]
        .into_iter()
        .find(|state| word_of(*state) == word)
}

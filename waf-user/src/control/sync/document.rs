//! Environments and inventory -> what one node serves. Pure: the same state gives the same text, so a node that nothing
//! changed for has the hash it had.

use crate::control::capacity::Rates;
use crate::control::environment::{Environment, Placement, State};
use crate::control::inventory::{Inventory, NodeState};
use crate::control::sheet::Tls;
use crate::model::sync::{Contract, NodeDocument, TenantDocument};
use crate::model::{Mode, NodeName};
use crate::secret::hex;

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// None for a node that is not of the inventory, or is dead. O(its tenants).
pub fn document_of(node: &NodeName, state: &State, inventory: &Inventory) -> Option<NodeDocument> {
    let entry = inventory.node(node).filter(|entry| entry.state != NodeState::Dead)?;
    let tenants = state.on(node).map(|(environment, placement)| tenant_of(environment, placement)).collect();
    Some(NodeDocument { node: node.to_string(), capacity: contract(entry.capacity), tenants })
}

/// The tenants that make one document into another: those that are new or changed, and the numbers of those that are gone.
pub fn difference_of(from: &NodeDocument, to: &NodeDocument) -> (Vec<TenantDocument>, Vec<u32>) {
    let put = to.tenants.iter().filter(|it| from.tenant(it.tenant) != Some(*it)).cloned().collect();
    let removed = from.tenants.iter().map(|it| it.tenant).filter(|it| to.tenant(*it).is_none()).collect();
    (put, removed)
}

fn tenant_of(environment: &Environment, placement: &Placement) -> TenantDocument {
    let sheet = &environment.sheet;
    let certificate = match sheet.tls {
        Tls::None => None,
        Tls::Upload(certificate) => Some(hex::encode(&certificate.fingerprint)),
    };
    let mode = match sheet.options.mode {
        Mode::Block => "block",
        Mode::Detect => "detect",
        Mode::Off => "off",
    };
    TenantDocument {
        tenant: environment.tenant.number(),
        fqdn: sheet.fqdn.to_string(),
        addresses: placement.addresses().collect(),
        http_port: HTTP_PORT,
        https_port: HTTPS_PORT,
        certificate,
        origins: sheet.origins.iter().map(ToString::to_string).collect(),
        mode: mode.to_owned(),
        paranoia: sheet.options.paranoia,
        contract: contract(placement.reserved),
    }
}

const fn contract(rates: Rates) -> Contract {
    Contract { requests_s: rates.requests_s, mbit_s: rates.mbit_s, handshakes_s: rates.handshakes_s }
}

#[cfg(test)]
mod tests;

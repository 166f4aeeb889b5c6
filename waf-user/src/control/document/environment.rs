//! Environments and the records of sites as documents.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{DocumentError, Naming, SheetDocument};
use crate::control::capacity::Rates;
use crate::control::environment::{Customer, Environment, Placement, Site, Strength};
use crate::control::sheet::Sheet;
use crate::model::{Carrier, Fqdn, Generation, NodeName, TenantId, Wall};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentDocument {
    pub tenant: u32,
    pub name: String,
    pub customer: String,
    pub generation: u64,
    /// Milliseconds since 1970.
    pub opened: u64,
    pub sheet: SheetDocument,
    pub placements: Vec<PlacementDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacementDocument {
    pub node: String,
    pub carrier: String,
    pub ipv4: Ipv4Addr,
    /// Whether `ipv4` is one that others have too.
    pub shared: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6Addr>,
    pub reserved: Rates,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteDocument {
    pub fqdn: String,
    pub customer: String,
    /// Number of the environment that serves it.
    pub current: u32,
    /// That of the one before a Move under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<u32>,
    pub names: Vec<String>,
}

impl From<&Environment> for EnvironmentDocument {
    fn from(environment: &Environment) -> Self {
        Self {
            tenant: environment.tenant.number(),
            name: environment.name.to_string(),
            customer: environment.customer.to_string(),
            generation: environment.generation.0,
            opened: environment.opened.0,
            sheet: SheetDocument::from(&*environment.sheet),
            placements: environment.placements.iter().map(PlacementDocument::from).collect(),
        }
    }
}

impl TryFrom<EnvironmentDocument> for Environment {
    type Error = DocumentError;

    fn try_from(document: EnvironmentDocument) -> Result<Self, DocumentError> {
        let naming = Naming { what: "environment", name: &document.name };
        let placements = document.placements.into_iter().map(|it| it.into_placement(naming));
        Ok(Self {
            tenant: naming.read("tenant", TenantId::new(u64::from(document.tenant)))?,
            name: naming.read("name", Fqdn::new(&document.name))?,
            customer: naming.read("customer", Customer::new(&document.customer))?,
            sheet: Arc::new(Sheet::try_from(document.sheet)?),
            placements: placements.collect::<Result<_, _>>()?,
            generation: Generation(document.generation),
            opened: Wall(document.opened),
        })
    }
}

impl From<&Placement> for PlacementDocument {
    fn from(placement: &Placement) -> Self {
        Self {
            node: placement.node.to_string(),
            carrier: placement.carrier.to_string(),
            ipv4: placement.ipv4,
            shared: placement.strength == Strength::Shared,
            ipv6: placement.ipv6,
            reserved: placement.reserved,
        }
    }
}

impl PlacementDocument {
    fn into_placement(self, naming: Naming<'_>) -> Result<Placement, DocumentError> {
        Ok(Placement {
            node: naming.read("placements.node", NodeName::new(&self.node))?,
            carrier: naming.read("placements.carrier", Carrier::new(&self.carrier))?,
            ipv4: self.ipv4,
            strength: if self.shared { Strength::Shared } else { Strength::Own },
            ipv6: self.ipv6,
            reserved: self.reserved,
        })
    }
}

impl From<&Site> for SiteDocument {
    fn from(site: &Site) -> Self {
        Self {
            fqdn: site.fqdn.to_string(),
            customer: site.customer.to_string(),
            current: site.current.number(),
            old: site.old.map(TenantId::number),
            names: site.names.iter().map(ToString::to_string).collect(),
        }
    }
}

impl TryFrom<SiteDocument> for Site {
    type Error = DocumentError;

    fn try_from(document: SiteDocument) -> Result<Self, DocumentError> {
        let naming = Naming { what: "site", name: &document.fqdn };
        let tenant = |number: u32| TenantId::new(u64::from(number));
        let names = document.names.iter().map(|name| Fqdn::new(name)).collect();
        Ok(Self {
            fqdn: naming.read("fqdn", Fqdn::new(&document.fqdn))?,
            customer: naming.read("customer", Customer::new(&document.customer))?,
            current: naming.read("current", tenant(document.current))?,
            old: naming.read("old", document.old.map(tenant).transpose())?,
            names: naming.read("names", names)?,
        })
    }
}

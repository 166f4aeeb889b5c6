//! @ipMatch: the value is an address inside one of the networks.
//!
//! Argument: addresses and networks in CIDR notation, IPv4 and IPv6, separated by commas.
//!
//! Example: `SecRule REMOTE_ADDR "@ipMatch 192.0.2.0/24,2001:db8::/32" "id:1,phase:1,deny"`

use std::net::IpAddr;

use ipnet::IpNet;

use super::{ArgumentError, Hit, hit};
use crate::engine::values::Values;

/// @ipMatch. O(networks); long lists belong into the kernel's block lists.
#[derive(Clone, Debug)]
pub struct IpMatch {
    networks: Vec<IpNet>,
}

impl IpMatch {
    /// # Errors
    /// A part that is neither an address nor a network.
    pub fn new(argument: &[u8]) -> Result<Self, ArgumentError> {
        let text = String::from_utf8_lossy(argument);
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(network).collect::<Result<Vec<_>, _>>()?;
        match networks.is_empty() {
            true => Err(malformed("no network")),
            false => Ok(Self { networks }),
        }
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], _values: &Values) -> Hit {
        let address = std::str::from_utf8(value).ok()?.trim().parse::<IpAddr>().ok()?;
        hit(self.networks.iter().any(|network| network.contains(&address)))
    }
}

fn network(part: &str) -> Result<IpNet, ArgumentError> {
    let parsed = part.parse::<IpNet>().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
    parsed.ok_or_else(|| malformed(&format!("`{part}` is no address and no network")))
}

fn malformed(reason: &str) -> ArgumentError {
    ArgumentError::Malformed { operator: "@ipMatch", reason: reason.to_owned() }
}

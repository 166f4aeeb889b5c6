//! @rbl: the address in the value (or the name) is on a block list of the DNS.
//!
//! Argument: the list's zone. Answers come from a cache ([`crate::engine::Lookups`]): nothing waits for the DNS, and
//! what is not known yet is no match.
//!
//! Example: `SecRule REMOTE_ADDR "@rbl bl.example.org" "id:1,phase:1,deny"`

use std::net::IpAddr;

use super::{ArgumentError, Hit, hit};
use crate::engine::limits;
use crate::engine::values::Values;

/// @rbl.
#[derive(Clone, Debug)]
pub struct Rbl {
    zone: String,
}

impl Rbl {
    /// # Errors
    /// No zone.
    pub fn new(argument: &[u8]) -> Result<Self, ArgumentError> {
        let zone = String::from_utf8_lossy(argument).trim().trim_matches('.').to_ascii_lowercase();
        if zone.is_empty() {
            return Err(ArgumentError::Malformed { operator: "@rbl", reason: "no zone".to_owned() });
        }
        Ok(Self { zone })
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        let Some(lookups) = &values.lookups else { return None };
        let value = std::str::from_utf8(value).ok()?.trim();
        let name = match value.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}")
            }
            // The reference engine asks for IPv4 only; nibbles are how such lists name IPv6 (RFC 5782 §2.4).
            Ok(IpAddr::V6(address)) => {
                let nibbles = address.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
                nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
            }
            Err(_) if value.len() > limits::DNS_NAME_BYTES => return None,
            Err(_) => value.to_owned(),
        };
        hit(lookups.listed(&format!("{name}.{}", self.zone)).unwrap_or(false))
    }
}

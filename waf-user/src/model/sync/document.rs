//! What one node serves, as control computes it and a node keeps it: tenants with their addresses, origins, contracts and
//! the names of their certificates. Free of secrets. Text of other modules' types, which whoever hears it parses into
//! them; what concerns the machine (interfaces, users, folders) is not in it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// One node's document. Its text is its JSON, which is the same for the same document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDocument {
    /// Whose: a node refuses another's.
    pub node: String,
    pub capacity: Contract,
    /// In the order of their numbers.
    pub tenants: Vec<TenantDocument>,
}

/// Rates a second. For a node what it can carry, for a tenant what is reserved for it here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    pub requests_s: u64,
    pub mbit_s: u64,
    pub handshakes_s: u64,
}

/// One environment at one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantDocument {
    /// 1..2^31.
    pub tenant: u32,
    pub fqdn: String,
    /// Of this node; IPv4 first.
    pub addresses: Vec<IpAddr>,
    pub http_port: u16,
    /// Served only where there is a certificate.
    pub https_port: u16,
    /// Fingerprint: SHA-256 of the chain's DER, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// URLs, in the customer's order.
    pub origins: Vec<String>,
    /// `block`, `detect` or `off`.
    pub mode: String,
    /// 1..=4; none is as the rules say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paranoia: Option<u8>,
    pub contract: Contract,
}

impl NodeDocument {
    /// What is hashed and signed.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a tree of text, numbers and addresses")
    }

    /// # Errors
    /// The text is no document, with the place in it.
    pub fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub fn tenant(&self, tenant: u32) -> Option<&TenantDocument> {
        let at = self.tenants.binary_search_by_key(&tenant, |it| it.tenant).ok()?;
        self.tenants.get(at)
    }

    /// Fingerprints of all certificates that it needs.
    pub fn certificates(&self) -> impl Iterator<Item = &str> {
        self.tenants.iter().filter_map(|it| it.certificate.as_deref())
    }
}

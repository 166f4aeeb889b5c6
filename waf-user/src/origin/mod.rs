//! Connections to the customers' servers: resolve, check, connect, pool. Knows no rules and no client.

use ipnet::IpNet;

use crate::config::OriginUrl;

/// The origins of one site and what may be reached.
#[derive(Clone, Debug)]
pub struct Upstreams {
    pub origins: Vec<OriginUrl>,
    /// Private networks that origins may lie in.
    pub networks: Vec<IpNet>,
}

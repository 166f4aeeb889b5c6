//! Text -> address or prefix, strict: host bits and IPv4 in IPv6 clothes are refused, because kernel keys are exact.

use std::net::IpAddr;

use ipnet::IpNet;

/// Why a text is no prefix or service address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    #[error("not an address or prefix")]
    Syntax,
    #[error("has bits set behind its length; the network is {0}")]
    HostBits(IpNet),
    #[error("is IPv4 written as IPv6; write the IPv4 form")]
    Mapped,
    #[error("is no address that a site can be reached at")]
    NotUnicast,
}

/// `192.0.2.0/24`, `2001:db8::/32`, or a single address.
///
/// # Errors
/// See [`PrefixError`].
pub fn parse_prefix(text: &str) -> Result<IpNet, PrefixError> {
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| PrefixError::Syntax)?),
    };
    if net.addr() != net.network() {
        return Err(PrefixError::HostBits(net.trunc()));
    }
    match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some() => {
            Err(PrefixError::Mapped)
        }
        net => Ok(net),
    }
}

/// An address that a site is served on.
///
/// # Errors
/// See [`PrefixError`].
pub fn parse_service_address(text: &str) -> Result<IpAddr, PrefixError> {
    let address: IpAddr = text.parse().map_err(|_| PrefixError::Syntax)?;
    if address.to_canonical() != address {
        return Err(PrefixError::Mapped);
    }
    if address.is_unspecified() || address.is_multicast() {
        return Err(PrefixError::NotUnicast);
    }
    Ok(address)
}

#[cfg(test)]
mod tests;

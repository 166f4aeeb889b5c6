//! What only the machine can tell of the settings: the interface is there, and no service prefix holds one of its own
//! addresses (else the node would take its management address for a site's).

use std::net::IpAddr;

use ipnet::IpNet;
use nix::ifaddrs::getifaddrs;

use super::NodeSettings;

/// Why the settings do not fit this machine.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    #[error("list the addresses of this machine")]
    List(#[source] nix::Error),
    #[error("there is no interface {0} here (`ip link` shows those there are)")]
    Missing(String),
    #[error(
        "service prefix {prefix} holds {address}, an address of interface {interface}: \
         sites need prefixes of their own, else management traffic would be taken for theirs"
    )]
    OwnAddress { prefix: IpNet, interface: String, address: IpAddr },
}

/// Nothing to check without `interface`.
///
/// # Errors
/// See [`InterfaceError`].
pub fn check_interface(settings: &NodeSettings) -> Result<(), InterfaceError> {
    let Some(interface) = &settings.interface else { return Ok(()) };
    let mut names = Vec::new();
    let mut own = Vec::new();
    for entry in getifaddrs().map_err(InterfaceError::List)? {
        if let Some(address) = entry.address.as_ref().and_then(ip_of) {
            own.push((entry.interface_name.clone(), address));
        }
        names.push(entry.interface_name);
    }
    if !names.contains(interface) {
        return Err(InterfaceError::Missing(interface.clone()));
    }
    check_prefixes(&settings.service_prefixes, &own)
}

/// The addresses of this machine, loopback left out; none where the kernel does not tell.
pub fn own_addresses() -> Vec<IpAddr> {
    let entries = getifaddrs().into_iter().flatten();
    entries
        .filter_map(|entry| ip_of(entry.address.as_ref()?))
        .filter(|address| !address.is_loopback())
        .collect()
}

/// `own`: interface names with their addresses.
fn check_prefixes(prefixes: &[IpNet], own: &[(String, IpAddr)]) -> Result<(), InterfaceError> {
    for prefix in prefixes {
        if let Some((interface, address)) = own.iter().find(|(_, address)| prefix.contains(address)) {
            let interface = interface.clone();
            return Err(InterfaceError::OwnAddress { prefix: *prefix, interface, address: *address });
        }
    }
    Ok(())
}

fn ip_of(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(v4), _) => Some(IpAddr::V4(v4.ip())),
        (_, Some(v6)) => Some(IpAddr::V6(v6.ip())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

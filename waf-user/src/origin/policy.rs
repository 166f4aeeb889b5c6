//! Which addresses a node may connect to on a customer's word. Checked after every resolution and before every connect
//! and reuse: a name can change its address at any time (DNS rebinding), and must never lead into our own networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why an address is never connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("it is unspecified, broadcast, reserved or multicast")]
    NoHost,
    #[error("loopback lies in no loopback network of origin_networks")]
    Loopback,
    #[error("it is link-local")]
    LinkLocal,
    #[error("it is an instance metadata service")]
    Metadata,
    #[error("private network, and not in origin_networks")]
    Private,
    #[error("it is an address of this node itself")]
    Own,
}

/// Metadata services outside link-local: AWS over IPv6, Alibaba Cloud.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(100, 100, 100, 200)];

/// RFC 1918, and the shared space of RFC 6598.
const PRIVATE_V4: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
];
/// RFC 4193, and the site-local space it replaced (RFC 3879).
const PRIVATE_V6: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
];
const LOOPBACK_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);

/// Hot: per origin connection. `networks` are the node's `origin_networks`, `own` the node's own service, node and
/// admin addresses. An own address is forbidden on every port, but inside an allowed private or loopback network only on
/// the port that is ours: there customers' servers live beside us on purpose. Port 0 in `own` stands for every port.
///
/// # Errors
/// The first reason against it.
pub fn check(address: SocketAddr, networks: &[IpNet], own: &[SocketAddr]) -> Result<(), Forbidden> {
    let ip = embedded_v4(address.ip().to_canonical());
    let special = kind(ip)?;
    let allowed = match special {
        Kind::Public => false,
        Kind::Private if !networks.iter().any(|network| network.contains(&ip)) => {
            return Err(Forbidden::Private);
        }
        // 0.0.0.0/0 in origin_networks must not open loopback by accident.
        Kind::Loopback if !networks.iter().any(|network| is_loopback(network) && network.contains(&ip)) => {
            return Err(Forbidden::Loopback);
        }
        Kind::Private | Kind::Loopback => true,
    };
    let ours = own.iter().any(|own| {
        own.ip().to_canonical() == ip && (!allowed || own.port() == 0 || own.port() == address.port())
    });
    if ours { Err(Forbidden::Own) } else { Ok(()) }
}

/// What is left when the addresses that no setting opens are gone.
enum Kind {
    Public,
    Private,
    Loopback,
}

fn kind(ip: IpAddr) -> Result<Kind, Forbidden> {
    let metadata = match ip {
        IpAddr::V4(v4) => METADATA_V4.contains(&v4),
        IpAddr::V6(v6) => v6 == METADATA_V6,
    };
    if metadata {
        return Err(Forbidden::Metadata);
    }
    if ip.is_unspecified() || ip.is_multicast() {
        return Err(Forbidden::NoHost);
    }
    if ip.is_loopback() {
        return Ok(Kind::Loopback);
    }
    let (link_local, no_host, private) = match ip {
        // 0/8 is "this network" (RFC 6890), 240/4 is reserved and ends with the broadcast address.
        IpAddr::V4(v4) => (
            v4.is_link_local(),
            v4.octets()[0] == 0 || v4.octets()[0] >= 240,
            PRIVATE_V4.iter().any(|network| network.contains(&v4)),
        ),
        IpAddr::V6(v6) => {
            (v6.is_unicast_link_local(), false, PRIVATE_V6.iter().any(|network| network.contains(&v6)))
        }
    };
    match (link_local, no_host, private) {
        (true, _, _) => Err(Forbidden::LinkLocal),
        (_, true, _) => Err(Forbidden::NoHost),
        (_, _, true) => Ok(Kind::Private),
        _ => Ok(Kind::Public),
    }
}

/// The IPv4 address that an IPv6 address leads to: IPv4-compatible (RFC 4291), NAT64's well-known prefix (RFC 6052) and
/// 6to4 (RFC 3056) would else be a way around the IPv4 rules.
fn embedded_v4(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    match [a, b, c, d, e, f] {
        [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h).into(),
        [0, 0, 0, 0, 0, 0] if g != 0 => v4(g, h).into(),
        [0x2002, ..] => v4(b, c).into(),
        _ => ip,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

fn is_loopback(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => LOOPBACK_V4.contains(network),
        IpNet::V6(network) => network.prefix_len() == 128 && network.addr().is_loopback(),
    }
}

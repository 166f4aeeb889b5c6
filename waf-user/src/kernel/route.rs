//! Routes and links over rtnetlink: the local routes that make every address of a service prefix the host's own ("AnyIP"),
//! and which XDP program an interface has. Works in the network namespace of the calling thread.

use std::net::IpAddr;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use rtnetlink::packet_route::link::{LinkAttribute, LinkMessage, LinkXdp, XdpAttached};
use rtnetlink::packet_route::route::{RouteMessage, RouteProtocol, RouteScope, RouteType};
use rtnetlink::{Handle, RouteMessageBuilder, new_connection};

use super::KernelError;

/// Marks our routes (`ip route show table local proto 87`), so that we remove no other: 87 is ASCII W and assigned to
/// nobody in rt_protos.
const PROTOCOL: u8 = 87;
/// The table of addresses that are the host's own.
const TABLE_LOCAL: u32 = 255;
const LOOPBACK: &str = "lo";

const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const ENODEV: i32 = 19;

/// The XDP program on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachedXdp {
    pub program_id: u32,
    /// `native`, `generic`, `offload` or `several`.
    pub mode: &'static str,
}

/// What an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    pub index: u32,
    pub xdp: Option<AttachedXdp>,
}

/// # Errors
/// The interface is not there, or netlink does not answer.
pub fn interface(name: &str) -> Result<Interface, KernelError> {
    let message = block_on(async |handle| link(&handle, name).await)??;
    Ok(Interface { index: message.header.index, xdp: attached(&message) })
}

/// Adds a local route per prefix, all or none.
///
/// # Errors
/// The prefix that could not be added (it exists, for example).
pub fn add(prefixes: &[IpNet]) -> Result<(), KernelError> {
    block_on(async |handle| {
        let loopback = link(&handle, LOOPBACK).await?.header.index;
        for (done, prefix) in prefixes.iter().enumerate() {
            let Err(source) = handle.route().add(message(*prefix, loopback)).execute().await else {
                continue;
            };
            for added in prefixes.iter().take(done) {
                // Ours since a moment ago; the error to report is the first.
                let _ = handle.route().del(message(*added, loopback)).execute().await;
            }
            return Err(KernelError::Route { action: "add", prefix: *prefix, source: Box::new(source) });
        }
        Ok(())
    })?
}

/// Removes the routes that [`add`] made; those that are not there are no error.
///
/// # Errors
/// The first prefix whose route stays.
pub fn remove(prefixes: &[IpNet]) -> Result<(), KernelError> {
    block_on(async |handle| {
        let loopback = link(&handle, LOOPBACK).await?.header.index;
        for prefix in prefixes {
            match handle.route().del(message(*prefix, loopback)).execute().await {
                Err(error) if !matches!(errno(&error), Some(ESRCH | ENOENT)) => {
                    return Err(KernelError::Route {
                        action: "remove",
                        prefix: *prefix,
                        source: Box::new(error),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    })?
}

/// `local PREFIX dev lo table local proto 87 scope host`
fn message(prefix: IpNet, loopback: u32) -> RouteMessage {
    macro_rules! build {
        ($builder:ty, $network:expr) => {
            <$builder>::new()
                .destination_prefix($network, prefix.prefix_len())
                .output_interface(loopback)
                .table_id(TABLE_LOCAL)
                .protocol(RouteProtocol::from(PROTOCOL))
                .scope(RouteScope::Host)
                .kind(RouteType::Local)
                .build()
        };
    }
    match prefix.network() {
        IpAddr::V4(network) => build!(RouteMessageBuilder::<std::net::Ipv4Addr>, network),
        IpAddr::V6(network) => build!(RouteMessageBuilder::<std::net::Ipv6Addr>, network),
    }
}

async fn link(handle: &Handle, name: &str) -> Result<LinkMessage, KernelError> {
    let mut links = handle.link().get().match_name(name.to_owned()).execute();
    match links.try_next().await {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(KernelError::UnknownInterface { interface: name.to_owned() }),
        Err(error) if errno(&error) == Some(ENODEV) => {
            Err(KernelError::UnknownInterface { interface: name.to_owned() })
        }
        Err(error) => Err(KernelError::Netlink { action: "read interfaces", source: Box::new(error) }),
    }
}

fn attached(message: &LinkMessage) -> Option<AttachedXdp> {
    let attributes = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Xdp(attributes) => Some(attributes),
        _ => None,
    })?;
    let mode = attributes.iter().find_map(|attribute| match attribute {
        LinkXdp::Attached(XdpAttached::Driver) => Some("native"),
        LinkXdp::Attached(XdpAttached::SocketBuffer) => Some("generic"),
        LinkXdp::Attached(XdpAttached::Hardware) => Some("offload"),
        LinkXdp::Attached(XdpAttached::Multiple) => Some("several"),
        _ => None,
    })?;
    let program_id = attributes.iter().find_map(|attribute| match attribute {
        LinkXdp::ProgId(id) => Some(*id),
        _ => None,
    });
    Some(AttachedXdp { program_id: program_id.unwrap_or(0), mode })
}

fn errno(error: &rtnetlink::Error) -> Option<i32> {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.code.map(|code| -code.get()),
        _ => None,
    }
}

/// Runs one exchange on a runtime of its own: these commands are short-lived and have no other.
fn block_on<T>(exchange: impl AsyncFnOnce(Handle) -> T) -> Result<T, KernelError> {
    let netlink =
        |source: std::io::Error| KernelError::Netlink { action: "connect", source: Box::new(source) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(netlink)?;
    runtime.block_on(async {
        let (connection, handle, _) = new_connection().map_err(netlink)?;
        let connection = tokio::spawn(connection);
        let result = exchange(handle).await;
        connection.abort();
        Ok(result)
    })
}

//! Raw frames onto an interface of the namespace that the calling thread is in.

use std::io;
use std::os::fd::AsRawFd;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, sendto, socket};

/// Sends frames as they are, Ethernet header included.
///
/// # Errors
/// No such interface, or no CAP_NET_RAW.
pub fn send(device: &str, frames: &[Vec<u8>]) -> io::Result<()> {
    let link = link(device)?;
    let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)?;
    for frame in frames {
        sendto(socket.as_raw_fd(), frame, &link, MsgFlags::empty())?;
    }
    Ok(())
}

/// The hardware address of an interface.
///
/// # Errors
/// No such interface.
pub fn hardware_address(device: &str) -> io::Result<[u8; 6]> {
    link(device)?.addr().ok_or_else(|| io::Error::other(format!("{device} has no hardware address")))
}

fn link(device: &str) -> io::Result<LinkAddr> {
    let mut interfaces = getifaddrs()?.filter(|interface| interface.interface_name == device);
    let link = interfaces.find_map(|interface| interface.address?.as_link_addr().copied());
    link.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no interface {device}")))
}

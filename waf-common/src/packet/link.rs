//! Ethernet and its VLAN tags: what the frame carries and where that begins.

use bytemuck::{Pod, Zeroable};

use super::{Bytes, Layer};
use crate::limits::VLAN_TAGS_MAX;

pub const ETHER_IPV4: u16 = 0x0800;
pub const ETHER_IPV6: u16 = 0x86dd;
/// IEEE 802.1Q, 802.1ad, and the number that was used for stacked tags before it.
const ETHER_VLAN: u16 = 0x8100;
const ETHER_PROVIDER: u16 = 0x88a8;
const ETHER_STACKED: u16 = 0x9100;

/// IEEE 802.3 §3.1.1.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Ethernet {
    _addresses: [[u8; 6]; 2],
    ether_type: [u8; 2],
}

/// IEEE 802.1Q §9.3.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Tag {
    _control: [u8; 2],
    ether_type: [u8; 2],
}

/// EtherType of the payload and its offset. A third tag is left as the EtherType: not IP, not ours.
///
/// # Errors
/// The frame ends before the payload.
#[inline(always)]
pub fn payload<B: Bytes + ?Sized>(frame: &B) -> Result<(u16, usize), Layer> {
    let Some(header) = frame.read::<Ethernet>(0) else { return Err(Layer::Link) };
    let mut ether_type = u16::from_be_bytes(header.ether_type);
    let mut at = size_of::<Ethernet>();
    for _ in 0..VLAN_TAGS_MAX {
        if !matches!(ether_type, ETHER_VLAN | ETHER_PROVIDER | ETHER_STACKED) {
            break;
        }
        let Some(tag) = frame.read::<Tag>(at) else { return Err(Layer::Link) };
        ether_type = u16::from_be_bytes(tag.ether_type);
        at += size_of::<Tag>();
    }
    Ok((ether_type, at))
}

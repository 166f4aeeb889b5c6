//! Ethernet and its VLAN tags: what the frame carries and where that begins.

use super::{Bytes, Layer};
use crate::limits::VLAN_TAGS_MAX;

pub const ETHER_IPV4: u16 = 0x0800;
pub const ETHER_IPV6: u16 = 0x86dd;
/// IEEE 802.1Q, 802.1ad, and the number that was used for stacked tags before it.
const ETHER_VLAN: u16 = 0x8100;
const ETHER_PROVIDER: u16 = 0x88a8;
const ETHER_STACKED: u16 = 0x9100;

const HEADER_LEN: usize = 14;
const TAG_LEN: usize = 4;

/// EtherType of the payload and its offset. A third tag is left as the EtherType: not IP, not ours.
///
/// # Errors
/// The frame ends before the payload.
#[inline(always)]
pub fn payload<B: Bytes + ?Sized>(frame: &B) -> Result<(u16, usize), Layer> {
    let Some([.., high, low]) = frame.read::<HEADER_LEN>(0) else { return Err(Layer::Link) };
    let mut ether_type = u16::from_be_bytes([high, low]);
    let mut at = HEADER_LEN;
    for _ in 0..VLAN_TAGS_MAX {
        if !matches!(ether_type, ETHER_VLAN | ETHER_PROVIDER | ETHER_STACKED) {
            break;
        }
        let Some([_, _, high, low]) = frame.read::<TAG_LEN>(at) else { return Err(Layer::Link) };
        ether_type = u16::from_be_bytes([high, low]);
        at += TAG_LEN;
    }
    Ok((ether_type, at))
}

//! A capture file -> one of its frames. The classic pcap format in both byte orders, micro- and nanoseconds; pcapng is
//! named and not read.

/// Magic numbers of the file header, as a little-endian machine reads them.
const MAGIC: [u32; 2] = [0xa1b2_c3d4, 0xa1b2_3c4d];
const MAGIC_PCAPNG: u32 = 0x0a0d_0d0a;
const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;
/// Link type of Ethernet.
const ETHERNET: u32 = 1;

/// Why a capture gives no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    #[error("is no pcap file")]
    NoCapture,
    #[error("is a pcapng file: convert it by `editcap -F pcap`")]
    NextGeneration,
    #[error("holds frames of link type {0}, only Ethernet (1) is read")]
    LinkType(u32),
    #[error("is cut off in frame {0}")]
    Cut(usize),
    #[error("has {frames} frames, there is no frame {wanted}")]
    NoFrame { wanted: usize, frames: usize },
}

/// Frame `wanted`, from 1.
///
/// # Errors
/// See [`CaptureError`].
pub fn frame(file: &[u8], wanted: usize) -> Result<&[u8], CaptureError> {
    let word = |at: usize| file.get(at..)?.first_chunk::<4>().copied();
    let magic = word(0).ok_or(CaptureError::NoCapture)?;
    let read: fn([u8; 4]) -> u32 = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
        (MAGIC_PCAPNG, _) => return Err(CaptureError::NextGeneration),
        (little, _) if MAGIC.contains(&little) => u32::from_le_bytes,
        (_, big) if MAGIC.contains(&big) => u32::from_be_bytes,
        _ => return Err(CaptureError::NoCapture),
    };
    // The upper bits of the link type tell of frame check sequences.
    let link_type = word(20).map(read).ok_or(CaptureError::NoCapture)? & 0xffff;
    if link_type != ETHERNET {
        return Err(CaptureError::LinkType(link_type));
    }
    let mut at = FILE_HEADER_BYTES;
    let mut frames = 0;
    while at < file.len() {
        frames += 1;
        let len = word(at + 8).map(read).and_then(|len| usize::try_from(len).ok());
        let start = at + RECORD_HEADER_BYTES;
        let end = len.and_then(|len| start.checked_add(len)).ok_or(CaptureError::Cut(frames))?;
        let bytes = file.get(start..end).ok_or(CaptureError::Cut(frames))?;
        if frames == wanted {
            return Ok(bytes);
        }
        at = end;
    }
    Err(CaptureError::NoFrame { wanted, frames })
}

#[cfg(test)]
mod tests;

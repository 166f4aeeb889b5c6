//! Messages <-> bytes of a stream: four bytes of length, high byte first, then that many bytes of JSON. What the messages
//! mean is not known here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroize;

/// Bytes of one message. The document of 10,000 tenants has some 6 MB.
pub const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;
const LEN_BYTES: usize = 4;

/// Why bytes are no message, or a message does not fit.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a message of {0} bytes, more than {FRAME_BYTES_MAX}")]
    Length(usize),
    #[error("read a message (does the other side run another version of waf?)")]
    Json(#[from] serde_json::Error),
}

/// One message as bytes.
///
/// # Errors
/// It is too long.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; LEN_BYTES];
    serde_json::to_writer(&mut bytes, message)?;
    let len = bytes.len() - LEN_BYTES;
    match u32::try_from(len) {
        Ok(short) if len <= FRAME_BYTES_MAX => {
            bytes.splice(..LEN_BYTES, short.to_be_bytes());
            Ok(bytes)
        }
        _ => Err(FrameError::Length(len)),
    }
}

/// Bytes as they come in, and the messages in them.
#[derive(Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Longest message, where it is less than [`FRAME_BYTES_MAX`].
    len_max: Option<usize>,
}

impl Frames {
    /// For messages of at most so many bytes.
    pub const fn bounded(len_max: usize) -> Self {
        Self { bytes: Vec::new(), len_max: Some(len_max) }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message that is there whole.
    ///
    /// # Errors
    /// Too long, or no JSON of this message; the stream is of no use from here on.
    #[expect(clippy::should_implement_trait, reason = "no iterator: each message is of the type asked for")]
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some((len, rest)) = self.bytes.split_first_chunk::<LEN_BYTES>() else { return Ok(None) };
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        if len > self.len_max.unwrap_or(FRAME_BYTES_MAX).min(FRAME_BYTES_MAX) {
            return Err(FrameError::Length(len));
        }
        let Some(message) = rest.get(..len) else { return Ok(None) };
        let message = serde_json::from_slice(message);
        let upto = LEN_BYTES + len;
        // Some of them carry keys.
        self.bytes.iter_mut().take(upto).for_each(Zeroize::zeroize);
        self.bytes.drain(..upto);
        Ok(Some(message?))
    }
}

//! The head of a request: bytes -> typed head, or the named reason why it is refused.

/// Bounds of one head.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub request_line_bytes_max: usize,
    pub header_bytes_max: usize,
    pub headers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_line_bytes_max: 8 * 1024, header_bytes_max: 32 * 1024, headers_max: 100 }
    }
}

/// What parsing a prefix of the connection's bytes gave.
#[derive(Debug)]
pub enum Parsed<T> {
    /// The head and how many bytes it took.
    Complete(T, usize),
    Partial,
}

/// Why a message is refused, never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    HeadTooLarge,
}

/// A request's head.
#[derive(Clone, Debug)]
pub struct RequestHead {
    method: String,
    target: String,
}

impl RequestHead {
    pub fn method(&self) -> &str {
        &self.method
    }

    /// As it stood in the request line.
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// # Errors
/// The first violation.
pub fn parse_request_head(_bytes: &[u8], _limits: &Limits) -> Result<Parsed<RequestHead>, Violation> {
    Ok(Parsed::Partial)
}

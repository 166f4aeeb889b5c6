//! Why something was refused: one word each, counted and written into the event.

/// One reason. The label is part of the metrics and of the event's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A rule refused; which one stands in the event.
    Rules,
    Banned,
    Blocked,
    Misdirected,
    Malformed(crate::http::Violation),
    TlsHandshake,
    TlsUnrecognizedName,
    OriginUnreachable,
    OriginBroken,
    Timeout,
    /// A packet dropped in the kernel.
    KernelDrop,
}

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

impl Reason {
    /// The word in metrics and events.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Banned => "banned",
            Self::Blocked => "blocked",
            Self::Misdirected => "misdirected",
            Self::Malformed(_) => "malformed",
            Self::TlsHandshake => "tls_handshake",
            Self::TlsUnrecognizedName => "tls_unrecognized_name",
            Self::OriginUnreachable => "origin_unreachable",
            Self::OriginBroken => "origin_broken",
            Self::Timeout => "timeout",
            Self::KernelDrop => "kernel_drop",
        }
    }
}

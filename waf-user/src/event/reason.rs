//! Why something was refused: one word each, counted and written into the event.

use crate::http::Violation;

/// One reason. The label is part of the metrics and of the event's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A rule refused; which one stands in the event.
    Rules,
    /// A ban covers the source.
    Banned,
    /// A block list of the configuration covers the source.
    Blocked,
    /// Destination address, SNI and Host do not name one site.
    Misdirected,
    /// The message breaks the rules of HTTP in a way that is never guessed about.
    Malformed(Violation),
    TlsHandshake,
    TlsUnrecognizedName,
    OriginUnreachable,
    /// The origin's answer is no HTTP, or broke off.
    OriginBroken,
    Timeout,
    /// The node has not enough for all, and the tenant has its share.
    OverContract,
    /// The worker holds as many connections as it may.
    Overloaded,
    /// Still under way when the time of a draining node was over.
    DrainDeadline,
    /// A packet dropped in the kernel.
    KernelDrop,
}

/// The reasons without a violation inside, in the order of their indices.
const PLAIN: [Reason; 13] = [
    Reason::Rules,
    Reason::Banned,
    Reason::Blocked,
    Reason::Misdirected,
    Reason::TlsHandshake,
    Reason::TlsUnrecognizedName,
    Reason::OriginUnreachable,
    Reason::OriginBroken,
    Reason::Timeout,
    Reason::OverContract,
    Reason::Overloaded,
    Reason::DrainDeadline,
    Reason::KernelDrop,
];

impl Reason {
    /// How many there are: a counter for each is made before the first request.
    pub const COUNT: usize = PLAIN.len() + Violation::ALL.len();

    /// All reasons; the n-th has index n.
    pub fn all() -> impl Iterator<Item = Self> {
        PLAIN.into_iter().chain(Violation::ALL.iter().copied().map(Self::Malformed))
    }

    /// Hot: per refusal. Position in [`Reason::all`], below [`Reason::COUNT`].
    pub fn index(self) -> usize {
        match self {
            Self::Malformed(violation) => PLAIN.len() + violation.index(),
            plain => PLAIN.iter().position(|reason| *reason == plain).unwrap_or(0),
        }
    }

    /// snake_case; of a malformed message the violation's own label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Banned => "banned",
            Self::Blocked => "blocked",
            Self::Misdirected => "misdirected",
            Self::Malformed(violation) => violation.label(),
            Self::TlsHandshake => "tls_handshake",
            Self::TlsUnrecognizedName => "tls_unrecognized_name",
            Self::OriginUnreachable => "origin_unreachable",
            Self::OriginBroken => "origin_broken",
            Self::Timeout => "timeout",
            Self::OverContract => "over_contract",
            Self::Overloaded => "overloaded",
            Self::DrainDeadline => "drain_deadline",
            Self::KernelDrop => "kernel_drop",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn indices_and_labels_are_unique_and_dense() {
        let labels: HashSet<_> = Reason::all().map(Reason::label).collect();
        assert_eq!(labels.len(), Reason::COUNT);
        for (n, reason) in Reason::all().enumerate() {
            assert_eq!(reason.index(), n, "{reason:?}");
        }
    }
}

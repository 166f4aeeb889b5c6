//! Every bound towards the origins, each with the reason for its number.

use std::time::Duration;

/// One TCP connect, and then one TLS handshake: a server that needs longer is down for a visitor.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// One look-up of a name: resolv.conf's first try; after it the last good answer serves.
pub const RESOLVE_WITHIN: Duration = Duration::from_secs(3);
/// How long an answer counts as fresh: the C library's resolver gives no TTL, and customers move origins within minutes.
pub const ANSWER_FRESH: Duration = Duration::from_secs(30);
/// After a failed look-up the last good answer serves this long before the next try.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Addresses used of one answer: more than two families with four servers each is not seen in origins.
pub const ADDRESSES_MAX: usize = 8;
/// Names remembered by one worker: a node's 10,000 tenants with a spare.
pub const NAMES_MAX: usize = 16_384;
/// Addresses tried for one request: each may cost `CONNECT_WITHIN`, and the visitor waits.
pub const ATTEMPTS_MAX: usize = 4;
/// No further address is tried for a request after this: with the last attempt a visitor waits 12 s at most.
pub const TRY_FOR: Duration = Duration::from_secs(6);
/// An origin that refused or timed out is tried last for this long.
pub const FAILED_FOR: Duration = Duration::from_secs(5);
/// Failed addresses remembered by one worker.
pub const FAILED_MAX: usize = 1_024;
/// Idle connections of one tenant and worker: beyond this an origin has more than it needs from one CPU.
pub const IDLE_PER_TENANT_MAX: usize = 32;
/// Idle connections of one worker: a quarter of the usual limit of open files.
pub const IDLE_MAX: usize = 4_096;
/// Idle connections are closed after this: below the 60 s and 75 s at which usual servers close theirs.
pub const IDLE_FOR: Duration = Duration::from_secs(30);

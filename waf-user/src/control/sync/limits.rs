//! Every bound of the listener towards nodes, each with the reason for its number.

use std::time::Duration;

/// Connections that have shown no certificate, or not yet: some nodes joining at once, and handshakes of a fleet that
/// comes back together. The next one is closed.
pub const STRANGERS_MAX: usize = 512;
/// Of those from one IPv4 address or IPv6 /64, so that one silent peer does not hold all places.
pub const STRANGERS_OF_ADDRESS_MAX: usize = 64;
/// Connections of nodes: two for each node of the largest inventory, for a process that takes over from another.
pub const CONNECTIONS_MAX: usize = 20_000;
/// Of one node: as many as it opens within the time in which one that was cut off is noticed, some over; a node that is in
/// others' hands does not lock out the fleet.
pub const CONNECTIONS_OF_NODE_MAX: usize = 32;
/// A handshake, and then the first request: a few round trips around the world.
pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// A whole request of joining or renewing, and the first message of a stream.
pub const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Requests of one connection at a time: a stream and a renewal, and both once more.
pub const REQUESTS_MAX: u32 = 4;
/// Bytes of a request's header list (RFC 9113 §6.5.2): three short fields, and what a library adds.
pub const HEADER_BYTES_MAX: u32 = 8 * 1024;
/// Bytes under way from a node: seconds of an attack's bans.
pub const WINDOW_BYTES: u32 = 256 * 1024;
/// Bytes of a message from a node: the usage of 20,000 tenants.
pub const UP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Characters of a node's name, hash and program as it says them: they are kept in memory and in the store.
pub const WORD_CHARS_MAX: usize = 100;
/// Characters of the reason for which it refuses a document: a sentence with its causes.
pub const WHY_CHARS_MAX: usize = 1_000;
/// A node says how it is once a second; one that was silent for so long is as good as gone.
pub const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Between two pings (RFC 9113 §6.7).
pub const PING_EVERY: Duration = Duration::from_secs(5);
/// Until a ping's answer: a lost packet or two.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);
/// How long a node may take no byte of what it is sent.
pub const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// How long things may take; all of them are constants of this file but in tests.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub handshake: Duration,
    pub request: Duration,
    pub silence: Duration,
    pub ping: Duration,
    pub pong: Duration,
    pub taken: Duration,
    pub staged: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            handshake: HANDSHAKE_WITHIN,
            request: REQUEST_WITHIN,
            silence: SILENCE_MAX,
            ping: PING_EVERY,
            pong: PONG_WITHIN,
            taken: TAKEN_WITHIN,
            staged: STAGED_WITHIN,
        }
    }
}

/// How long nodes that staged wait for those that have not: long enough for a document and its certificates, short enough
/// for a customer's change to be served within five seconds.
pub const STAGED_WITHIN: Duration = Duration::from_secs(2);
/// When what a node refused is sent once more: a disk may have room again.
pub const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How long others believe a control process that says nothing more about its nodes.
pub const KEPT_FOR: Duration = Duration::from_secs(10);
/// How often it says so.
pub const KEEP_EVERY: Duration = Duration::from_secs(3);
/// For how long what changes is gathered, to be written at once; by so much later other processes hear that all has been
/// staged here.
pub const GATHER_FOR: Duration = Duration::from_millis(20);
/// Nodes of one transaction: within the store's 128 operations.
pub const CHUNK_LEN: usize = 100;
/// After the store could not be asked.
pub const STORE_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How often the listener's own certificate is made anew.
pub const LISTENER_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

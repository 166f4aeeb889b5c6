//! Every bound of the proxy, each with the reason for its number, and what happens there:
//!
//! | limit | block, detect and off alike |
//! |---|---|
//! | request line, header block, fields | 414, 431, 431 and close |
//! | header read, body idle, body rate | 408 and close |
//! | keep-alive idle, requests of a connection | close between requests |
//! | body inspected (the engine's limits, or SecRequestBodyLimit and SecResponseBodyLimit) | as SecRequestBodyLimitAction says; without it 413 for a form, JSON or XML, else the prefix is inspected, the rest passes uninspected |
//! | origin connect, first byte, idle | 504, or the answer breaks off |
//! | connections of a worker | closed at once, counted |

use std::time::Duration;

/// From the first byte of a head to its end; a browser sends a head in one packet, a slow network in a few seconds.
pub const HEADER_READ: Duration = Duration::from_secs(10);
/// Longest pause within a request body: covers a mobile network's hand-over, not a held-open connection.
pub const BODY_IDLE: Duration = Duration::from_secs(20);
/// Least bytes per second of a request body, so that a held-open upload costs its sender something; the slowest modem sends
/// twenty times as much.
pub const BODY_RATE_MIN: u64 = 240;
/// Waiting for the body up to which the rate is not looked at: a start may be slow.
pub const BODY_RATE_GRACE: Duration = Duration::from_secs(10);
/// Between two requests. Longer than the 60 s after which browsers and load balancers close, so that they do it.
pub const KEEP_ALIVE_IDLE: Duration = Duration::from_secs(75);
/// In a drain, for the first request of a connection that was accepted: a round trip and a client's thought.
pub const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// In a drain, with nothing new in the accept queue for this long it is taken for empty ...
pub const QUEUE_QUIET: Duration = Duration::from_millis(20);
/// ... and after this long it is left, however much still comes.
pub const QUEUE_WITHIN: Duration = Duration::from_millis(200);
/// At the end of a drain, for connections that are cut off to tell of it: none of them waits for anything but a last write.
pub const CUT_WITHIN: Duration = Duration::from_millis(500);
/// Requests of one connection: then the client connects anew and is balanced and listed anew.
pub const REQUESTS_MAX: u32 = 1_000;
/// TLS hello and handshake, each.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// From the end of the request to the origin's answer: slow reports are slow, a minute is what proxies commonly grant.
pub const ORIGIN_FIRST_BYTE: Duration = Duration::from_secs(60);
/// How long an origin that stopped reading the request may take to say why.
pub const ORIGIN_LAST_WORD: Duration = Duration::from_secs(5);
/// Longest pause within an origin's answer.
pub const ORIGIN_IDLE: Duration = Duration::from_secs(60);
/// How often idle connections to origins are looked through: servers wait some seconds for our end of a close.
pub const POOL_SWEEP: Duration = Duration::from_secs(5);
/// Longest time in which a peer, client or origin, takes none of the bytes we have for it.
pub const WRITE_STALL: Duration = Duration::from_secs(30);
/// Interim responses of one answer: 100 and 103 come once each, more is a loop.
pub const INTERIM_MAX: u32 = 8;
/// Rule evaluations before other connections of the worker get their turn: some hundred microseconds.
pub const INSPECT_BUDGET: u32 = 256;
/// Bytes read at once: what TLS records and socket buffers hand over, times two connections per request.
pub const READ_BYTES: usize = 16 * 1024;
/// Buffers that a worker keeps for its next answers, and the longest of them: 1 MiB at the most, and more answers are seldom
/// read at the same moment.
pub const BUFFERS_MAX: usize = 32;
pub const BUFFER_BYTES_MAX: usize = 2 * READ_BYTES;
/// Open connections of one worker: at some 40 KiB each a third of a GiB. One that uploads holds up to 320 KiB (what is
/// inspected, twice, and buffers; more where SecRequestBodyLimit asks for more): a worker all of whose connections do needs 2.6 GiB. Fewer where the process may not open two files for each.
pub const CONNECTIONS_MAX: usize = 8_192;
/// Pause after accept failed for want of descriptors or memory: long enough for connections to close meanwhile.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// After a refusal what still comes is read and thrown away for this long, else a reset would eat the answer.
pub const LINGER: Duration = Duration::from_secs(1);
/// The bytes thrown away at most.
pub const LINGER_BYTES_MAX: usize = 256 * 1024;
/// Observations that a worker gathers before it wakes the node, for at most [`OBSERVED_WITHIN`]: some hundred wake-ups a second.
pub const OBSERVATIONS_HELD_MAX: usize = 64;
/// A tenth of the time in which a ban is to be in force.
pub const OBSERVED_WITHIN: Duration = Duration::from_millis(4);
/// Refusals wake the node at once, but not more often than this: two thousand wake-ups a second under attack.
pub const REFUSED_EVERY: Duration = Duration::from_micros(500);
/// Text that a record or event quotes of a request: enough to recognise it, bounded for the log.
pub const QUOTED_BYTES_MAX: usize = 2 * 1024;
/// Elements of X-Forwarded-For looked at from the right: no honest chain has more proxies.
pub const FORWARDED_ELEMENTS_MAX: usize = 32;

/// The waits of a worker and its connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub header_read: Duration,
    pub body_idle: Duration,
    pub keep_alive_idle: Duration,
    pub handshake: Duration,
    pub origin_first_byte: Duration,
    pub origin_idle: Duration,
    pub pool_sweep: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            header_read: HEADER_READ,
            body_idle: BODY_IDLE,
            keep_alive_idle: KEEP_ALIVE_IDLE,
            handshake: HANDSHAKE,
            origin_first_byte: ORIGIN_FIRST_BYTE,
            origin_idle: ORIGIN_IDLE,
            pool_sweep: POOL_SWEEP,
        }
    }
}

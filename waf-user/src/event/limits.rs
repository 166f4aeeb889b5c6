//! Every bound of the logs, each with the reason for its number. A hostile request must not flood a log or a memory.

use std::time::Duration;

/// Records waiting for the log thread: a tenth of a second at 40,000 requests/s; with records at their largest 100 MB.
pub const QUEUE_LEN_MAX: usize = 4_096;
/// Bytes formatted before they are written: one write per batch, and what a power cut can take.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// How long the log thread gathers records once it was woken: its waking costs a worker more than the record, so it is woken
/// two hundred times a second at the most. A twentieth of what the queue holds comes meanwhile.
pub const GATHER: Duration = Duration::from_millis(5);
/// How long `flush` waits for the log thread: a disk that takes longer keeps no process from its exit.
pub const FLUSH_WITHIN: Duration = Duration::from_secs(5);
/// How often a full queue is asked again meanwhile: the log thread frees places in bursts.
pub const QUEUE_POLL: Duration = Duration::from_millis(5);

/// Bytes of one text of a record, by field: what a person needs to see what it was.
pub const METHOD_LEN_MAX: usize = 32;
pub const HOST_LEN_MAX: usize = 255;
pub const TARGET_LEN_MAX: usize = 2_048;
pub const DETAIL_LEN_MAX: usize = 512;
/// Rules of one event: the Core Rule Set seldom logs more for one request.
pub const MATCHES_MAX: usize = 32;
/// Rule ids of one line of the request log: all that the engine notes of one request.
pub const RULE_IDS_MAX: usize = 400;
pub const MSG_LEN_MAX: usize = 256;
pub const LOGDATA_LEN_MAX: usize = 512;
pub const VARIABLE_LEN_MAX: usize = 128;
pub const VALUE_LEN_MAX: usize = 256;
pub const TAGS_MAX: usize = 16;
pub const TAG_LEN_MAX: usize = 64;
pub const TRANSFORMATIONS_MAX: usize = 16;

/// Longest line a look-up reads: the caps above, each byte escaped to six, come to 630 KiB.
pub const LINE_LEN_MAX: usize = 1024 * 1024;

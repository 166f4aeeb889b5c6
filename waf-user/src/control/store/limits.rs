//! Every bound of the store, each with the reason for its number. The first five are etcd's defaults or follow from them,
//! and bind SQLite too, so that a control plane may move from one to the other.

use std::time::Duration;

/// Operations of one transaction, and guards of one: etcd's `--max-txn-ops`.
pub const OPERATIONS_MAX: usize = 128;
/// Bytes of one value: what leaves room for the rest of a request within etcd's `--max-request-bytes` of 1.5 MiB.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of all keys and values of one transaction, guards included: one largest value with 128 guards and 128 keys, and
/// the framing still fits 1.5 MiB.
pub const TRANSACTION_BYTES_MAX: usize = 1024 * 1024 + 256 * 1024;
/// Bytes of a key: a few names of 253 characters at most, and in sum within the transaction's bound.
pub const KEY_BYTES_MAX: usize = 512;
/// Shortest lease: below it etcd rounds up, for an election takes that long.
pub const LEASE_TTL_MIN: Duration = Duration::from_secs(2);
/// Longest lease: whoever wants to be known for longer writes a key without one.
pub const LEASE_TTL_MAX: Duration = Duration::from_secs(60 * 60);

/// Bytes of all keys and values of one listing: 100,000 environments of 4 KiB and some; more is a mistake in the prefix.
pub const LIST_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Revisions that SQLite remembers for watches: ten minutes of an import that changes something 16 times a second.
pub const HISTORY_REVISIONS_MAX: u64 = 10_000;
/// Bytes of values that SQLite remembers for watches, beside those in force: what a small disk does not notice.
pub const HISTORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Writers that wait for SQLite; the next one waits for a place.
pub const WRITERS_QUEUE_LEN_MAX: usize = 1_024;
/// Readers that wait for SQLite; the next one waits for a place.
pub const READERS_QUEUE_LEN_MAX: usize = 1_024;
/// Transactions that share one write to the disk: it takes milliseconds, and each waits for all of them.
pub const BATCH_LEN_MAX: usize = 64;
/// Changes that a watch fetches at once, the last revision always whole: with values at their largest 256 MiB and that
/// revision.
pub const WATCH_CHANGES_MAX: usize = 256;
/// How long SQLite waits for another program that has the file locked (a backup, an operator's sqlite3).
pub const BUSY_WITHIN: Duration = Duration::from_secs(5);
/// Bytes that SQLite's journal keeps on disk when it is empty.
pub const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Leases of one SQLite store: one a control process and a few a node, for thousands of nodes.
pub const LEASES_MAX: usize = 65_536;

//! The process's limit of open files, raised as far as it goes -> how many connections a worker may hold. A worker without
//! a file to spare could neither accept nor reach an origin: better to refuse early, counted, than to fail everybody.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::proxy::limits::CONNECTIONS_MAX;

/// Files beside connections: listeners, maps, logs, the runtimes' own, admin and control.
const SPARE: u64 = 256;
/// A connection's own, and the one to its origin.
const FILES_PER_CONNECTION: u64 = 2;

/// Raises the soft limit to the hard one, which needs no privilege. Returns the limit that holds then.
///
/// # Errors
/// The kernel neither tells nor raises it.
pub fn raise_limit() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// How many connections each of the workers may hold with so many open files.
pub fn connections_per_worker(limit: u64, workers: u16) -> usize {
    let connections = limit.saturating_sub(SPARE) / FILES_PER_CONNECTION;
    let each = connections / u64::from(workers.max(1));
    usize::try_from(each).unwrap_or(CONNECTIONS_MAX).clamp(1, CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_holds_what_the_files_allow() {
        // Limit, workers; connections of each.
        let rows = [
            (0, 1, 1),
            (256, 2, 1),
            (1024, 1, 384),
            (1024, 2, 192),
            (16_640, 1, 8_192),
            (16_638, 1, 8_191),
            (524_288, 16, 8_192),
            (u64::MAX, 0, 8_192),
        ];
        for (limit, workers, expected) in rows {
            assert_eq!(connections_per_worker(limit, workers), expected, "{limit} files, {workers} workers");
        }
    }

    #[test]
    fn the_limit_is_raised_to_what_may_be() {
        let limit = raise_limit().expect("no privilege is needed");
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE), Ok((limit, limit)));
    }
}

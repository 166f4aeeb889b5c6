//! The CPUs of the affinity mask found at start, and pinning a thread to one of them.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use waf_common::limits::WORKERS_MAX;

use super::NodeError;

/// CPUs that this process may run on, in the order of their numbers.
///
/// # Errors
/// The kernel does not tell.
pub fn allowed() -> Result<Vec<usize>, NodeError> {
    let set = sched_getaffinity(Pid::from_raw(0)).map_err(NodeError::Affinity)?;
    Ok((0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false)).collect())
}

/// How many workers to run: what is set, else one per CPU.
pub fn worker_count(set: Option<u16>, cpus: usize) -> u16 {
    set.unwrap_or_else(|| u16::try_from(cpus.clamp(1, WORKERS_MAX)).unwrap_or(1))
}

/// Pins the calling thread to one CPU.
///
/// # Errors
/// The CPU is not there or not ours.
pub fn pin_this_thread(cpu: usize) -> nix::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_follow_the_cpus_unless_set() {
        let table = [
            ("as many as CPUs", None, 4, 4),
            ("set", Some(2), 4, 2),
            ("more than CPUs", Some(8), 4, 8),
            ("never none", None, 0, 1),
            ("at the bound", None, 64, 64),
            ("above the bound", None, 65, 64),
        ];
        for (name, set, cpus, expected) in table {
            assert_eq!(worker_count(set, cpus), expected, "{name}");
        }
    }
}

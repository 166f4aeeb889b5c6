//! What a run must not leave: its namespaces, mounts, pins, processes and folder.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use crate::lab::daemon::start_ticks;
use crate::lab::{Lab, netns, sweep};

/// What to look for once the lab is gone.
#[derive(Debug)]
pub struct Traces {
    id: String,
    folder: PathBuf,
    /// Pid and start time.
    processes: Vec<(u32, Option<u64>)>,
}

impl Traces {
    /// Noted while the lab is up.
    pub fn of(lab: &Lab) -> Self {
        let pids = sweep::recorded(lab.run().folder()).into_iter().filter_map(|pid| u32::try_from(pid).ok());
        let processes = pids.map(|pid| (pid, start_ticks(pid))).collect();
        Self { id: lab.run().id().to_owned(), folder: lab.run().folder().to_owned(), processes }
    }

    /// What is still there, in words.
    pub fn found(&self) -> Vec<String> {
        let mut found = Vec::new();
        let spaces = netns::names().into_iter().filter(|name| name.contains(&self.id));
        found.extend(spaces.map(|name| format!("namespace {name}")));
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        found.extend(
            mounts.lines().filter(|line| line.contains(&self.id)).map(|line| format!("mount {line}")),
        );
        let nodes = sweep::nodes().into_iter().filter(|path| path.to_string_lossy().contains(&self.id));
        found.extend(nodes.map(|path| format!("pins {}", path.display())));
        let alive =
            self.processes.iter().filter(|(pid, started)| started.is_some() && start_ticks(*pid) == *started);
        found.extend(alive.map(|(pid, _)| format!("process {pid}")));
        if self.folder.exists() {
            found.push(format!("folder {}", self.folder.display()));
        }
        found
    }
}

impl fmt::Display for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0 namespaces, 0 mounts, 0 pins, 0 of {} processes, no folder", self.processes.len())
    }
}

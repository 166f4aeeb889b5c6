//! Work inside a network namespace: on a thread of its own, because a namespace belongs to a thread.

use std::fs::File;
use std::os::fd::AsFd;
use std::thread;

use nix::sched::{CloneFlags, setns};
use xtask::lab::netns::Namespace;

/// Runs `run` inside; sockets that it makes stay in that namespace.
pub fn inside<T: Send>(namespace: &Namespace, run: impl FnOnce() -> T + Send) -> T {
    let path = namespace.path();
    thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let handle = File::open(&path).expect("handle of the namespace");
            setns(handle.as_fd(), CloneFlags::CLONE_NEWNET).expect("enter the namespace");
            run()
        });
        thread.join().expect("the thread ends well")
    })
}

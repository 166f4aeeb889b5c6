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
            enter(&path);
            run()
        });
        thread.join().expect("the thread ends well")
    })
}

/// Moves the calling thread inside for good.
pub fn enter(namespace: &std::path::Path) {
    let handle = File::open(namespace).expect("handle of the namespace");
    setns(handle.as_fd(), CloneFlags::CLONE_NEWNET).expect("enter the namespace");
}

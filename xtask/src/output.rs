//! What we say, to a reader who may leave (`… | head`): then nothing more is said, and the work ends as if it had been told
//! to, so that everything is cleared away.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

use crate::interrupt;

/// `println!` without its panic.
#[macro_export]
macro_rules! say {
    ($($what:tt)*) => { $crate::output::say(format_args!($($what)*)) };
}

/// `eprintln!` without its panic.
#[macro_export]
macro_rules! complain {
    ($($what:tt)*) => { $crate::output::complain(format_args!($($what)*)) };
}

/// A line to standard output.
pub fn say(what: Arguments<'_>) {
    // In one piece: several processes write here.
    let line = format!("{what}\n");
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush())
        && error.kind() == ErrorKind::BrokenPipe
    {
        interrupt::reader_left();
    }
}

/// A line to standard error. Who does not read it misses it.
pub fn complain(what: Arguments<'_>) {
    let _ = io::stderr().lock().write_all(format!("{what}\n").as_bytes());
}

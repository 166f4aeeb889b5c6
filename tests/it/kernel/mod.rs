//! The kernel half on a real kernel: its programs loaded by `waf kernel load` into namespaces of the test's own. Verdicts
//! in tables through BPF_PROG_TEST_RUN, what a socket must see by true traffic.

mod fixture;

mod lifecycle;
mod lists;
mod lookup;
mod parse;
mod swap;
mod traffic;
mod verdicts;

//! Set-up, build, load, lab, demo, tests and tidiness of the workspace: what `cargo xtask` does, and the lab as a
//! library for the integration tests. Knows the product only by its files and command lines.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod bench;
pub mod build;
pub mod demo;
pub mod fuzz;
pub mod inspect;
pub mod interrupt;
pub mod lab;
pub mod load;
pub mod output;
pub mod privilege;
pub mod process;
pub mod setup;
pub mod test;
pub mod tidy;
pub mod workspace;

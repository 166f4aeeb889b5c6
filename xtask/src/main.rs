//! Dispatches `cargo xtask` subcommands.
fn main() {}

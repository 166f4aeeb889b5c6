//! Integration tests: the finished binaries on real interfaces in network namespaces. Run by `cargo xtask test`.

mod stage;
mod usage;

mod capacity;
mod cleanup;
mod config;
mod control;
mod demo;
mod fleet_bans;
mod hostile;
mod kernel;
mod node;
mod operator;
mod recipes;
mod rules;
mod soak;

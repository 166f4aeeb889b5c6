//! The data-plane daemon: what [`crate::config`] says becomes listeners, workers, a snapshot and entries in the kernel's
//! maps; what the workers observe becomes bans. It holds no privilege and parses no byte of a visitor itself.

pub mod admin;
pub mod bans;
pub mod check;
pub mod control;
pub mod control_sock;
pub mod cpus;
pub mod enforce;
pub mod error;
pub mod feedback;
pub mod filter;
pub mod fixed;
pub mod kernel_sync;
pub mod listeners;
pub mod offline;
pub mod open_files;
pub mod promote;
pub mod protect;
pub mod react;
pub mod reload;
pub mod repeaters;
pub mod rule_files;
pub mod run;
pub mod services;
pub mod shares;
pub mod shelf;
pub mod snapshot;
pub mod standing;
pub mod sync;
pub mod take_over;
pub mod usage;
pub mod user;
pub mod workers;

mod complaints;
mod drain;
mod drop_gate;
mod kernel_half;
mod outward;
mod reports;
mod rule_sets;
mod scrape;
mod signals;
mod start;

pub use error::NodeError;
pub use run::{Start, run};

#[cfg(test)]
mod tests;

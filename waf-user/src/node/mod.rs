//! The data-plane daemon: what [`crate::config`] says becomes listeners, workers, a snapshot and entries in the kernel's
//! maps; what the workers observe becomes bans. It holds no privilege and parses no byte of a visitor itself.

pub mod run;
pub mod error;
pub mod user;
pub mod cpus;
pub mod listeners;
pub mod workers;
pub mod snapshot;
pub mod services;
pub mod filter;
pub mod kernel_sync;
pub mod protect;
pub mod bans;
pub mod enforce;
pub mod feedback;
pub mod control;
pub mod control_sock;
pub mod admin;

mod rule_files;

pub use error::NodeError;
pub use run::run;

//! The only place that names aya: load, attach, pin (root, short-lived), and typed map handles and the ring-buffer reader
//! for the node, which holds map pins only. What the maps mean is waf-common's, who writes which is in [`maps`].

pub mod error;
pub mod pins;

mod block_tables;
mod flows;
mod hint;
mod keys;
mod mount;
mod object;
mod route;
mod shape;
mod syscall;
mod tenants;

pub mod capture;
pub mod explain;
pub mod inspect;
pub mod load;
pub mod loaded;
pub mod swap;
pub mod unload;

pub mod blocklist;
pub mod log;
pub mod maps;
pub mod reports;

pub use blocklist::{BlockEntry, Blocklist};
pub use error::KernelError;
pub use explain::{Explanation, explain};
pub use inspect::{Inspection, inspect};
pub use keys::{ListMap, allow_map, block_map};
pub use load::{Loaded, load};
pub use loaded::check_loaded;
pub use log::{KernelLog, LogLevel, LogLine};
pub use maps::{AllowEntry, Maps};
pub use pins::Pins;
pub use reports::Reports;
pub use swap::{Replaced, SwapTo, swap};
pub use unload::{Force, unload};

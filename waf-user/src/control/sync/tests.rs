//! Nodes of the tests' own against the real listener: real TLS, a real ledger and real bans on SQLite.

mod client;
pub mod world;

mod bans;
mod refused;
mod serving;
mod slow;

//! The rules as a node runs them: which rules it has by default, what tenants may set, what is logged and refused.

mod command;
mod crs;
mod own;
mod stage;

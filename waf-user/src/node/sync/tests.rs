//! Nodes without kernel and workers against the real control plane, and against one that lies.

pub mod machine;

mod door;
mod scene;

mod bans;
mod liar;
mod membership;
mod serving;

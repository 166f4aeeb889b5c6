//! Nodes without kernel and workers against the real control plane, and against one that lies.

pub mod machine;

//! The lab: two carriers, a client and an origin in network namespaces of one machine.

pub mod netns;

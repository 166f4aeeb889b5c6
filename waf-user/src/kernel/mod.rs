//! The only place that names aya: load, attach, pin (root, short-lived) and typed map handles and the ring-buffer reader
//! for the node, which holds map pins only.
#![allow(unsafe_code, reason = "map handles from raw file descriptors; each block carries its reason")]

//! A node and control, in one process.

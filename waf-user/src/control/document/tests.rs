//! Documents there and back.

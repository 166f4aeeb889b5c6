//! The audit log: who changed what, when, with the differences and without secrets.

pub mod aside;
pub mod cursor;
pub mod difference;
pub mod record;

//! The control plane: hearing sheets in, environments out. This is its pure core; it knows no store, no network and no
//! clock. Values go in, values come out, time and randomness are arguments.

pub mod capacity;
pub mod sheet;

pub mod inventory;

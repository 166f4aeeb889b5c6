//! The contract between the kernel half and user space: the types that lie in BPF maps, the names and limits both
//! sides must agree on, and the packet parser. No allocation, no operating system, no knowledge of any map's handle.
#![no_std]
#![deny(unsafe_code)]

#[cfg(test)]
extern crate std;

mod abi;
pub mod address;
pub mod block;
pub mod flow;
pub mod hint;
pub mod limits;
pub mod names;
pub mod outcome;
pub mod packet;
pub mod report;
pub mod service;
pub mod steer;

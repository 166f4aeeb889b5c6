//! A real worker in this process, a small origin, raw sockets: what goes in and what comes out at either side.

mod harness;
mod origin;

mod contract;
mod forwarding;
mod life;
mod refusals;
mod rules;
mod streaming;
mod waits;

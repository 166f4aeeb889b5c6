//! Connections to the customers' servers: resolve, check, connect, pool. Knows no rules and no client.

mod idle;
mod limits;
mod policy;
mod pool;
mod resolve;
mod stream;
mod upstreams;

#[cfg(test)]
mod tests;

pub use policy::Forbidden;
pub use pool::{Lease, OriginError, Pool};
pub use upstreams::Upstreams;

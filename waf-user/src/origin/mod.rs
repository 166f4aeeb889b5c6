//! Connections to the customers' servers: resolve, check, connect, pool. Knows no rules and no client.

mod dial;
mod error;
mod idle;
mod lease;
mod limits;
mod policy;
mod pool;
mod resolve;
mod stream;
mod upstreams;

#[cfg(test)]
mod tests;

pub use error::OriginError;
pub use lease::Lease;
pub use policy::Forbidden;
pub use pool::Pool;
pub use upstreams::Upstreams;

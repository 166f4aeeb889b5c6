//! Connections to addresses that several tenants share: once SNI or Host has named the tenant, the kernel half is told, so
//! that a ban of this tenant drops them there too. How it is told is not known here.

use std::net::SocketAddr;

use crate::model::TenantId;

/// The kernel half's table of such connections.
pub trait Flows: Send + Sync {
    /// Hot: per connection to a shared address. Whether the tenant is known from now on.
    fn set(&self, client: SocketAddr, service: SocketAddr, tenant: TenantId) -> bool;
    /// The connection is closed: its ports come again, for another tenant.
    fn remove(&self, client: SocketAddr, service: SocketAddr);
}

//! Plain words shared by the data plane and the control plane. They know nothing of files, sockets or maps.

pub mod ban;
pub mod causes;
pub mod clock;
pub mod fqdn;
pub mod identity;
pub mod mode;
pub mod sync;

pub use ban::{Ban, BanOrigin, BanScope, ScopeError, source_prefix};
pub use causes::chain;
pub use clock::{Mono, Wall};
pub use fqdn::{Fqdn, FqdnError};
pub use identity::{Carrier, Generation, IdentityError, NodeName, TenantId};
pub use mode::Mode;

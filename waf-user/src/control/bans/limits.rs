//! How many bans a fleet holds, and in what portions they are written and told. No other number of the bans is hidden
//! elsewhere.

use std::time::Duration;

/// Bans made by people, of the fleet and of all sites: 100,000 imported and room beside them; with [`RULE_BANS_MAX`] they fit
/// the kernel's table of 131,072.
pub const BANS_MAX: usize = 110_000;
/// Bans made by the rules of nodes, apart from those of people, so that neither takes the other's room.
pub const RULE_BANS_MAX: usize = 20_000;
/// Bans of one tenant, by people and by rules each: a tenth, so that no customer takes all others' room.
pub const TENANT_BANS_MAX: usize = 10_000;

/// Bans of one transaction: within the store's 128 operations, with the audit entry beside them.
pub(super) const CHUNK_LEN: usize = 100;
/// A change of so few bans first asks the store how they are; a larger one trusts what was heard and is refused by its guards
/// where that was old.
pub(super) const READ_ANEW_MAX: usize = 16;
/// Tries of one transaction against others who change the same bans. Each time one of them goes on.
pub(super) const TRIES_MAX: usize = 16;
/// How long a change waits until this process has heard of it, so that the next answer tells of it. It counts all the same.
pub(super) const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// Bans of one node that wait for the store: some seconds of an attack; of the node's own uplink as many wait.
pub const WAITING_OF_NODE_MAX: usize = 4_096;
/// How long to wait after the store could not be asked.
pub(super) const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How often bans that have run out are looked for. They hold nowhere meanwhile.
pub(super) const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How long after their end they are removed: by so much the clocks of control processes may differ, and none lifts early
/// what another has made.
pub(super) const SWEEP_AFTER_MS: u64 = 30_000;

/// Changes that are remembered for nodes that were away: a whole import of the largest list would be told whole anyway.
pub(super) const HISTORY_LEN_MAX: usize = 65_536;
/// Bans of one message to a node: some hundred kilobytes, so that other messages find their way in between.
pub const PART_LEN: usize = 4_000;

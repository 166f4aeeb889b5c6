//! The control plane: hearing sheets in, environments out. Its pure core knows no store, no network and no clock: values
//! go in, values come out, time and randomness are arguments.
//!
//! ```text
//! text ──sheet──> Submission { Sheet, Upload }         nodes ──inventory──> Inventory
//!                       │ Wish::Serve                                          │
//!                       └──────────────┬──────────────┬────────────────────────┘
//!                                   plan(wishes, inventory, state, policy, now)
//!                                      └──> Plan { revision, decisions, refusals, steps }
//!                                            │ Display: operator   │ State::apply(steps)
//!                                            │ Notice: customer    └──> State at the next revision
//! ```
//!
//! - `capacity` [`capacity::Rates`] in three measures (requests, megabits, handshakes a second), the 80 % line, and the
//!   sentence that says by how much something does not fit.
//! - `sheet` TOML or JSON -> [`sheet::Sheet`] without secrets, and beside it [`sheet::Upload`] with them, which goes to the
//!   certificate store and nowhere else. All mistakes at once.
//! - `inventory` [`inventory::Node`]: carrier, region, residency, capacity, IPv4 pool, IPv6 prefix, state.
//! - `environment` [`environment::Environment`] with its placements, [`environment::Site`] saying which environment is
//!   current, which old, and all names that are answered with the current one's addresses; [`environment::State`] holds
//!   them with the load of each node kept alongside; `violations` looks at all of it from the outside.
//! - `change` [`change::Change`] `Same | InPlace | Move` of one sheet against one environment, reasons in figures.
//! - `plan` [`plan::Wish`]es -> [`plan::Plan`]. `draft` what is taken so far, `place` the search, `steps` the decisions as
//!   values to set, `evacuate` nodes to be emptied, `show` for operators, `notice` for customers.
//!
//! Around the core: `ledger` makes plans true in a `store` and shows everything as of one revision, as `document`s of plain
//! words; the store keeps it all, in SQLite or etcd; `audit` tells who changed what, without secrets; `reseal` renews
//! what [`crate::secret`] has sealed, `export` tells all of it as one text. `bans` keeps who is refused where, in the order
//! of the store's revisions; `usage` what sites use beside what was agreed.
//!
//! Towards others: `authority` says which nodes belong to the fleet and `sync` speaks with them; `token` says who people
//! are, `api` answers them and `client` is their end of it; `serve` is a process of all that, as `settings` say.
//!
//! Who reserves what: each placement the whole peak (an oversize site with k placements a carrier: a k-th), so whichever
//! carrier is lost, the other's placements have it reserved below 80 % of their nodes. During a Move both environments
//! reserve. An address is one environment's: IPv6 always (prefix and TenantId, never used again), IPv4 while the pool has
//! more than one left; its last address is shared.

pub mod capacity;
pub mod sheet;

pub mod inventory;

pub mod environment;

pub mod change;
pub mod plan;

pub mod reseal;
pub mod store;

pub mod audit;
pub mod document;
pub mod export;
pub mod ledger;

pub mod authority;
pub mod bans;
pub mod bans_import;
pub mod sync;
pub mod usage;

pub mod client;
pub mod token;

pub mod api;

pub mod places;
pub mod serve;
pub mod settings;

//! What is said over the API: requests and answers as plain values, for the server, the command line and the OpenAPI
//! document alike. What a customer is answered has no field that could hold a node, a carrier or a region; what an operator
//! is answered besides lies in types of its own. Knows nothing of state, store or HTTP.
//!
//! Moments are RFC 3339 in UTC (`2026-11-25T06:40:00Z`), names are A-labels, addresses and prefixes their usual text.

mod bans;
mod fleet;
mod people;
mod plans;
mod problem;
mod sites;
mod usage;

pub use bans::{BanQuery, BanView, Bans, BansChanged, BansLift, BansNew, NewBan, NewLift};
pub use fleet::{EnvironmentView, NodeStateView, Revoked, StandingView};
pub use fleet::{Environments, JoinToken, JoinTokenNew, NodeView, Nodes, NodesPut, PlacementView, RatesView};
pub use people::{
    AuditChangeView, AuditEntries, AuditEntryView, AuditQuery, Changed, CustomerView, Customers, Health,
    Whoami,
};
pub use people::{CustomerPut, RoleView, TokenMade, TokenNew, TokenView, Tokens};
pub use plans::{Applied, EvacuationNew, PlanDetail, PlanNew, PlanView, SheetFormat, WishNew};
pub use problem::{Mistake, Problem};
pub use sites::{CauseView, PeakView, SiteView, Sites, StrengthView};
pub use sites::{Language, NoticeQuery, NoticeText, NoticeView, OldView, OutcomeView};
pub use usage::{
    ExcessView, MeasureView, PlacementUsageView, SiteUsageView, UsageQuery, UsageView, Usages, UsedView,
};

//! Bans where no node runs: the kernel's block list outlives the node, and root may still change it. The next node
//! adopts what is left here.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::NodeError;
use super::control::{BanLine, Reply, Request, operator_ban, parse_key};
use super::enforce::{BanError, Enforcer, Force};
use super::protect::Protected;
use super::run::open_filter;
use super::services::ServicePlan;
use crate::config::{NodeConfig, NodeSettings};
use crate::model::Mono;
use crate::proxy::Lists;

//! A configuration as `waf node` would serve it -> what is wrong in it, or how much there is. Serves nothing and writes
//! nothing.

use std::sync::Arc;

use super::NodeError;
use super::shelf::Shelf;
use super::snapshot::{self, FELL_BACK, Lasting};
use crate::config::{NodeConfig, NodeSettings, check_interface, shipped};
use crate::model::Generation;

/// What would be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub tenants: usize,
    pub rules: usize,
    /// What an operator should know all the same.
    pub notes: Vec<String>,
}

/// Certificates and rules are read, and with [control] what control sent last.
///
/// # Errors
/// What a start would end with, on this machine.
pub fn check(settings: &NodeSettings, local: &NodeConfig) -> Result<Checked, NodeError> {
    check_interface(settings).map_err(Box::new)?;
    let mut notes = Vec::new();
    let (config, lasting) = match settings.control {
        Some(_) => last_sent(settings, local, &mut notes)?,
        None => (local.clone(), Lasting::default()),
    };
    let built = snapshot::build(settings, &config, Generation::default(), &lasting).map_err(Box::new)?;
    if built.fell_back {
        notes.push(FELL_BACK.to_owned());
    }
    Ok(Checked { tenants: config.tenants.len(), rules: built.rules, notes })
}

fn last_sent(
    settings: &NodeSettings,
    local: &NodeConfig,
    notes: &mut Vec<String>,
) -> Result<(NodeConfig, Lasting), NodeError> {
    let none = (local.clone(), Lasting::default());
    let Some(shelf) = Shelf::look(&settings.state_dir)? else {
        notes.push("this node has not joined yet: run `waf node-join` before it is started".to_owned());
        return Ok(none);
    };
    let member = shelf.membership()?;
    let Some(signed) = shelf.last_good(&member.fleet_key, settings.name.as_str())? else {
        notes.push("control has sent nothing yet".to_owned());
        return Ok(none);
    };
    let config = shipped::configure(settings, local, &signed.document).map_err(Box::new)?;
    Ok((config, Lasting::with_shelf(Arc::new(shelf))))
}

#[cfg(test)]
mod tests;

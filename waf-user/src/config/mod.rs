//! node.toml -> typed values: [`NodeSettings`] (of this machine) and [`NodeConfig`] (tenants and bans). All mistakes at
//! once, each with file:line:column and what to do. Contents of certificates and rules are not looked into here.

pub mod files;
pub mod interface;
pub mod origin_url;
pub mod prefix;
pub mod rule_paths;
pub mod settings;
pub mod shipped;
pub mod source;
pub mod tenants;

mod agree;
mod exclusion;
mod mistake;
mod read_node;
mod read_tenant;
mod reader;

pub use exclusion::{Exclusion, PathMatch};
pub use interface::{InterfaceError, check_interface, own_addresses};
pub use mistake::ConfigErrors;
pub use origin_url::{OriginHost, OriginUrl, OriginUrlError, Scheme};
pub use read_node::parse_control;
pub use settings::{AdminSettings, ControlSettings, Fragments, LogSettings, NodeSettings, XdpMode};
pub use shipped::ShippedError;
pub use source::Source;
pub use tenants::{BanPolicy, BanPolicyScope, NodeConfig, TenantConfig};

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use mistake::Mistakes;
use reader::Table;

/// Reads and checks a node.toml. What only this machine can tell is left to [`check_interface`].
///
/// # Errors
/// The file cannot be read, or all that is wrong in it.
pub fn load(path: &Path) -> Result<(NodeSettings, NodeConfig), ConfigErrors> {
    let bytes = std::fs::read(path).map_err(|error| ConfigErrors::unreadable(path, &error))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(path, text),
        Err(error) => Err(ConfigErrors::no_text(path, &bytes, error.valid_up_to())),
    }
}

/// The state directory that a node.toml names or leaves at its default, whatever else is wrong in the file; nothing where
/// it cannot be told.
pub fn state_dir(path: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(path).ok()?;
    let (root, _errors) = DeTable::parse_recoverable(&text);
    let node = root.get_ref().get("node")?.get_ref().as_table()?;
    let named = match node.get("state_dir") {
        Some(value) => value.get_ref().as_str()?,
        None => read_node::STATE_DIR,
    };
    Some(path.parent().unwrap_or(Path::new("")).join(named))
}

/// Checks the text of a node.toml; `path` is for messages, and its folder is what relative paths start from.
///
/// # Errors
/// All that is wrong in it.
pub fn parse(path: &Path, text: &str) -> Result<(NodeSettings, NodeConfig), ConfigErrors> {
    let mistakes = Mistakes::new(path, text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    for error in &syntax_errors {
        mistakes.add_syntax(error.span().unwrap_or(0..0), error.message());
    }
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let table = Table::new("the file", 0..0, root.get_ref(), &mistakes);
    let node = read_node::read(&table, &folder);
    let mut tenants = Vec::new();
    let mut facts = Vec::new();
    for tenant in table.tables("tenant", "[[tenant]]") {
        let (config, fact) = read_tenant::read(tenant, &folder);
        tenants.extend(config);
        facts.push(fact);
    }
    // A table whose header is broken is not there, and leaves its keys to the file: no word of either.
    if syntax_errors.is_empty() {
        table.require("node", "a table [node] with `name` and `carrier`");
        table.finish();
    }
    agree::check(&node, &facts, &mistakes);
    mistakes.into_result()?;
    let Some(settings) = node.settings else {
        // Every way to no settings notes its mistake first.
        return Err(ConfigErrors { text: format!("{}: no usable [node]", path.display()), count: 1 });
    };
    let lists = node.lists;
    let config = NodeConfig {
        allow: lists.allow,
        block: lists.block,
        origin_networks: lists.origin_networks,
        ban: node.ban,
        capacity: node.capacity,
        tenants,
    };
    Ok((settings, config))
}

#[cfg(test)]
mod tests;

//! node.toml -> typed values: [`NodeSettings`] (of this machine) and [`NodeConfig`] (tenants and bans). All mistakes at
//! once, each with file:line:column and what to do. Contents of certificates and rules are not looked into here.

pub mod origin_url;
pub mod settings;
pub mod tenants;

pub use origin_url::{OriginUrl, OriginUrlError, Scheme};
pub use settings::{AdminSettings, LogSettings, NodeSettings, XdpMode};
pub use tenants::{BanPolicy, BanPolicyScope, Exclusion, NodeConfig, TenantConfig};

use std::fmt;
use std::path::Path;

/// Every mistake of a file; `Display` prints one block a mistake: file:line:column, the line, a caret, the cure.
#[derive(Debug)]
pub struct ConfigErrors {
    pub text: String,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ConfigErrors {}

/// Reads and checks a node.toml.
///
/// # Errors
/// The file cannot be read, or all that is wrong in it.
pub fn load(path: &Path) -> Result<(NodeSettings, NodeConfig), ConfigErrors> {
    Err(ConfigErrors { text: format!("{}: not read yet", path.display()) })
}

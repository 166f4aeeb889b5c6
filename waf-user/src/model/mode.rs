//! What a tenant wants done with the verdicts of the rules.

/// How the rules act for a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Refuse what the rules refuse.
    #[default]
    Block,
    /// Run the rules, log what they say, pass everything; never drop, limit or ban by a rule's verdict.
    Detect,
    /// Do not run the rules.
    Off,
}

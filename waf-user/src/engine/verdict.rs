//! What the rules say of one transaction.

/// What is to become of the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    #[default]
    Pass,
    /// Refused by a rule.
    Refuse(Disruption),
}

/// How a rule refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// Answer with this status. 400..=599.
    Deny { rule: u64, status: u16 },
    /// Close the connection without an answer.
    Drop { rule: u64 },
    /// Answer with a redirection.
    Redirect { rule: u64, status: u16, location: String },
}

impl Disruption {
    /// The rule that refused.
    pub fn rule(&self) -> u64 {
        match self {
            Self::Deny { rule, .. } | Self::Drop { rule } | Self::Redirect { rule, .. } => *rule,
        }
    }
}

/// One rule that matched and logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleMatch {
    pub id: u64,
    pub phase: u8,
    pub msg: String,
    pub severity: Option<u8>,
    pub tags: Vec<String>,
    pub logdata: String,
    /// The variable's full name, such as `ARGS:q`.
    pub variable: String,
    /// The value after transformations, capped at 256 bytes, lossy UTF-8.
    pub value: String,
    /// Byte span of the match in the value, where the operator knows one.
    pub span: Option<(usize, usize)>,
    /// Transformation names, in order.
    pub transformations: Vec<String>,
}

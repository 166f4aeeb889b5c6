//! Customers, tokens, the audit log and health.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /v1/healthz`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    pub revision: u64,
    pub version: String,
}

/// What made a new revision, where there is nothing else to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    pub revision: u64,
}

/// One customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerView {
    pub name: String,
    /// The operator's remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    pub sites: u64,
}

/// `PUT /v1/customers/{name}`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPut {
    #[serde(default)]
    pub note: String,
}

/// `GET /v1/customers`: in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Customers {
    pub revision: u64,
    pub customers: Vec<CustomerView>,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoleView {
    /// Everything.
    Operator,
    /// One customer's sites.
    Customer,
}

/// `POST /v1/tokens`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenNew {
    pub role: RoleView,
    /// With role `customer`: whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Who has it, for the audit log.
    pub note: String,
    /// How long it is good for, in days; none: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A new token. Its text is shown this one time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenMade {
    pub token: String,
    #[serde(flatten)]
    pub view: TokenView,
}

/// One token, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    pub id: String,
    pub role: RoleView,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    pub note: String,
    pub made: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// `GET /v1/tokens`: in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    pub tokens: Vec<TokenView>,
}

/// `GET /v1/whoami`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Whoami {
    pub token: TokenView,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Go on with older ones: `next` of the answer before. Where nothing is said, the newest.
    #[serde(default)]
    pub before: Option<String>,
    /// At most this many, 1 to 1,000; 100 where nothing is said.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditChangeView {
    /// `site www.example.jp`, `node a1`, `customer acme`, `token 0123456789abcdef`.
    pub subject: String,
    /// `open`, `in place`, `move`, `roll back`, `close`, `remove`, `put`, `make`, `revoke`, …
    pub action: String,
    /// Whose it is; none of what is ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Each field with what it was and what it became; secrets redacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

/// One change that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntryView {
    /// The revision that it made; none of what makes no plan stale: tokens, bans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    pub at: String,
    /// Who did it: operator or customer, with the id and the note of the token.
    pub actor: String,
    pub changes: Vec<AuditChangeView>,
}

/// `GET /v1/audit`: the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntries {
    pub entries: Vec<AuditEntryView>,
    /// Ask on with `before` = this; none: that was all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

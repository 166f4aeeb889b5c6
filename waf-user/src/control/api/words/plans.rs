//! Wishes, the plan made of them, and what came of applying it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::NoticeView;

/// The syntax of a sheet's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SheetFormat {
    #[default]
    Toml,
    Json,
}

/// What somebody wants done. A customer may serve, roll back and remove its own sites.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "wish", deny_unknown_fields)]
pub enum WishNew {
    /// Serve a site by this sheet, whether it is new or not.
    Serve {
        /// The text of the sheet, with the certificate and its key where there is TLS.
        sheet: String,
        #[serde(default)]
        format: SheetFormat,
        /// Whose site it is. An operator names it; with a customer's token it is that customer's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// Give the site another environment, though it could stay (operators).
    Move { fqdn: String },
    /// Serve again from the environment of before the last move.
    RollBack { fqdn: String },
    /// Close the environment of before the last move (operators).
    Close { fqdn: String },
    /// Serve the site no longer.
    Remove { fqdn: String },
}

impl WishNew {
    /// Of the sheet's text.
    pub fn sheet_bytes(&self) -> usize {
        match self {
            Self::Serve { sheet, .. } => sheet.len(),
            _ => 0,
        }
    }
}

/// `POST /v1/plans`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanNew {
    pub wishes: Vec<WishNew>,
}

/// `POST /v1/plans/evacuation`: a plan that moves sites away from draining and dead nodes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvacuationNew {
    pub moves_max: u32,
}

/// A plan, kept until it is applied or an hour has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    pub id: String,
    /// What it was made against; applied to anything else it is refused with 409.
    pub revision: u64,
    pub expires: String,
    /// Whether applying it would change anything.
    pub changes: bool,
    /// What becomes of each site, or would not.
    pub notices: Vec<NoticeView>,
    /// Wishes that cannot be met, in words fit for a customer.
    pub refusals: Vec<String>,
}

/// `GET /v1/plans/{id}/detail`: the plan as operators read it, with nodes, loads and reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanDetail {
    pub id: String,
    pub revision: u64,
    pub text: String,
}

/// `POST /v1/plans/{id}/apply`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Applied {
    pub revision: u64,
    pub notices: Vec<NoticeView>,
}

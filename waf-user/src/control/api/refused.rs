//! Why a request is refused -> status and [`Problem`].

use std::error::Error;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::turns::AT_ONCE_MAX;
use super::words::{Mistake, Problem};
use crate::control::authority::AuthorityError;
use crate::control::bans::BanError;
use crate::control::export::ExportError;
use crate::control::ledger::LedgerError;
use crate::control::sheet::SheetErrors;
use crate::control::token::TokenError;

/// Characters of a name that a refusal repeats: the longest FQDN.
const NAME_LEN_MAX: usize = 253;

/// A refusal, on its way out.
#[derive(Debug)]
pub struct Refused(Box<Problem>);

impl Refused {
    pub fn new(status: StatusCode, detail: impl Into<String>, cure: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        let (status, detail, cure) = (status.as_u16(), detail.into(), cure.into());
        Self(Box::new(Problem { title, status, detail, cure, mistakes: Vec::new() }))
    }

    /// 401: who asks is not known.
    pub fn unknown_token() -> Self {
        let cure =
            "send `Authorization: Bearer waf_…` with a token that has neither expired nor been revoked";
        Self::new(StatusCode::UNAUTHORIZED, "there is no good token with this request", cure)
    }

    /// 403: an operator's route.
    pub fn operators_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "this is for operators only", "")
    }

    /// 429: the customer's other requests are still under way.
    pub fn too_many_at_once() -> Self {
        let detail = format!("{AT_ONCE_MAX} requests of this customer are under way");
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail, "wait until one of them is answered")
    }

    /// 404, for what is not there and for what is another customer's alike.
    pub fn not_found(what: &str, name: &str) -> Self {
        let name: String = name.chars().take(NAME_LEN_MAX).collect();
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what} {name:?}"), "")
    }

    /// 404: a plan waits an hour, and newer ones take the place of the oldest.
    pub fn no_plan(id: &str) -> Self {
        let mut refused = Self::not_found("plan", id);
        refused.0.cure = "it was applied, is too old, or newer ones took its place: plan again".to_owned();
        refused
    }

    /// 422: one field.
    pub fn field(field: impl Into<String>, error: impl Into<String>, cure: impl Into<String>) -> Self {
        let mistake = Mistake { field: field.into(), error: error.into(), cure: cure.into() };
        Self::mistakes(vec![mistake])
    }

    /// 422: everything that is wrong at once.
    pub fn mistakes(mistakes: Vec<Mistake>) -> Self {
        let detail = match mistakes.as_slice() {
            [one] => format!("{}: {}", one.field, one.error),
            all => format!("{} mistakes in the request", all.len()),
        };
        let mut refused = Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail, "");
        refused.0.mistakes = mistakes;
        refused
    }
}

/// What is wrong in a sheet, with the request's field before the sheet's.
pub fn sheet_mistakes(at: &str, errors: SheetErrors) -> impl Iterator<Item = Mistake> {
    errors.0.into_iter().map(move |error| Mistake {
        field: format!("{at}: {}", error.field),
        error: format!("{} {}", error.value, error.what),
        cure: error.cure,
    })
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        let (status, cure) = match &error {
            LedgerError::Stale(_) => (StatusCode::CONFLICT, "plan again, and apply that plan"),
            LedgerError::CustomerHasSites { .. }
            | LedgerError::NodeInUse { .. }
            | LedgerError::NodeServes { .. }
            | LedgerError::Inventory(_)
            | LedgerError::CertificateMissing(_) => (StatusCode::CONFLICT, ""),
            LedgerError::UnknownCustomer(_) | LedgerError::UnknownNode(_) => (StatusCode::NOT_FOUND, ""),
            _ => return Self::store(&error),
        };
        Self::new(status, error.to_string(), cure)
    }
}

impl From<BanError> for Refused {
    fn from(error: BanError) -> Self {
        match error {
            BanError::TooWide(_) => Self::field("bans", error.to_string(), ""),
            BanError::After(_) => Self::field("after", error.to_string(), ""),
            BanError::TooMany { .. } | BanError::TooManyOfSite { .. } | BanError::Contended => {
                Self::new(StatusCode::CONFLICT, error.to_string(), "")
            }
            error => Self::store(&error),
        }
    }
}

impl From<ExportError> for Refused {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), ""),
            error => Self::store(&error),
        }
    }
}

impl From<AuthorityError> for Refused {
    fn from(error: AuthorityError) -> Self {
        Self::store(&error)
    }
}

impl Refused {
    /// 503. What is wrong there is for operators, and they have the log.
    pub fn store(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "the store cannot be asked, or holds what it should not");
        let detail = "the store cannot be asked now; whether anything has changed is not known";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail, "look again a little later, and try again")
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Note(_) => Self::field("note", error.to_string(), "say it in fewer words"),
            TokenError::TooMany => Self::new(StatusCode::CONFLICT, error.to_string(), ""),
            TokenError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, error.to_string(), ""),
            TokenError::Changed => {
                Self::new(StatusCode::CONFLICT, error.to_string(), "look again, and try again")
            }
            error => Self::store(&error),
        }
    }
}

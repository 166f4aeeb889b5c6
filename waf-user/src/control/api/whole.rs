//! `/v1/audit`, `/v1/export`, `/v1/healthz`, `/v1/openapi.json`: the control plane as a whole.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

use super::body::Asked;
use super::caller::Operator;
use super::openapi::Document;
use super::refused::Refused;
use super::words::{AuditEntries, AuditQuery, Health};
use super::{Api, show};
use crate::control::audit::cursor::AuditCursorError;
use crate::control::export;

/// Made once: whoever asks needs no token.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| Document::openapi().to_json().expect("text, lists and maps"));

/// Entries of one page, where nothing is said, and at most.
const ENTRIES: u32 = 100;
const ENTRIES_MAX: u32 = 1000;

/// Whether this process answers, and at which revision.
#[utoipa::path(get, path = "/v1/healthz", responses((status = 200, body = Health)))]
pub async fn health(State(api): State<Api>) -> Json<Health> {
    let revision = api.ledger.view().state.revision().0;
    Json(Health { revision, version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}

/// Every change that was made, the newest first.
#[utoipa::path(get, path = "/v1/audit", params(AuditQuery), responses((status = 200, body = AuditEntries)))]
pub async fn audit(
    State(api): State<Api>,
    _operator: Operator,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditEntries>, Refused> {
    let before = query.before.as_deref().map(str::parse).transpose();
    let before = before.map_err(|error: AuditCursorError| Refused::field("before", error.to_string(), ""))?;
    let limit = query.limit.unwrap_or(ENTRIES).clamp(1, ENTRIES_MAX) as usize;
    let page = api.ledger.audit(before, limit).await?;
    let entries = page.entries.iter().map(show::audit).collect();
    Ok(Json(AuditEntries { entries, next: page.next.map(|next| next.to_string()) }))
}

/// Everything as one text; secrets in it are sealed. `waf import` reads it into an empty store.
#[utoipa::path(get, path = "/v1/export", responses((status = 200, description = "the export", body = String, content_type = "application/json")))]
pub async fn export(State(api): State<Api>, _operator: Operator) -> Result<impl IntoResponse, Refused> {
    let text = export::export(&*api.store).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
}

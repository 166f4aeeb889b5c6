//! `/v1/audit`, `/v1/export`, `/v1/import`, `/v1/healthz`, `/v1/openapi.json`: the control plane as a whole.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

use super::Api;
use super::body::{Asked, IMPORT_BYTES_MAX, Text};
use super::caller::Operator;
use super::openapi::Document;
use super::refused::Refused;
use super::words::{AuditEntries, AuditQuery, Health, Imported};

/// Whether this process answers, and at which revision.
#[utoipa::path(get, path = "/v1/healthz", responses((status = 200, body = Health)))]
pub async fn health(State(api): State<Api>) -> Json<Health> {
    let revision = api.truth.known().state.revision().0;
    Json(Health { revision, version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn openapi() -> impl IntoResponse {
    Json(Document::openapi())
}

/// Every change that was made, the oldest first.
#[utoipa::path(get, path = "/v1/audit", params(AuditQuery), responses((status = 200, body = AuditEntries)))]
pub async fn audit(
    State(api): State<Api>,
    _operator: Operator,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditEntries>, Refused> {
    Ok(Json(api.truth.audit(query).await?))
}

/// Everything as one text; secrets in it are sealed.
#[utoipa::path(get, path = "/v1/export", responses((status = 200, description = "the export", body = String, content_type = "text/plain")))]
pub async fn export(State(api): State<Api>, _operator: Operator) -> Result<impl IntoResponse, Refused> {
    let text = api.truth.export().await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}

/// Fills an empty control plane with what was exported.
#[utoipa::path(post, path = "/v1/import", request_body(content = String, content_type = "text/plain"), responses((status = 200, body = Imported)))]
pub async fn import(
    State(api): State<Api>,
    Operator(caller): Operator,
    Text(text): Text<IMPORT_BYTES_MAX>,
) -> Result<Json<Imported>, Refused> {
    Ok(Json(api.truth.import(text, &caller.who(), (api.clock)()).await?))
}

//! Bytes of a request -> one of the words, within a limit that the route names.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::Api;
use super::refused::Refused;

/// Bytes of most requests: a thousand times what they need.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a plan, an inventory, a list of bans: a hundred sheets with certificates, ten thousand bans.
pub const LONG_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a body may take to come: the longest over 10 Mbit/s.
const BODY_WITHIN: Duration = Duration::from_secs(10 * 60);

/// JSON of at most `MAX` bytes. An empty body is an empty object.
pub struct Json<T, const MAX: usize = BODY_BYTES_MAX>(pub T);

impl<T: DeserializeOwned, const MAX: usize> FromRequest<Api> for Json<T, MAX> {
    type Rejection = Refused;

    async fn from_request(request: Request, _api: &Api) -> Result<Self, Refused> {
        let bytes = read(request.into_body(), MAX).await?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let value = serde_json::from_slice(text).map_err(|error| {
            let cure = "send JSON as GET /v1/openapi.json describes it";
            Refused::new(StatusCode::BAD_REQUEST, format!("the request's body: {error}"), cure)
        })?;
        Ok(Self(value))
    }
}

/// The one name in a path.
pub struct Named(pub String);

impl FromRequestParts<Api> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refused> {
        match Path::from_request_parts(parts, api).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(error) => Err(Refused::new(error.status(), error.body_text(), "")),
        }
    }
}

/// What stands behind the question mark.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refused> {
        match Query::from_request_parts(parts, api).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(Refused::new(StatusCode::BAD_REQUEST, error.body_text(), "")),
        }
    }
}

async fn read(body: Body, bytes_max: usize) -> Result<Vec<u8>, Refused> {
    let Ok(read) = timeout(BODY_WITHIN, Limited::new(body, bytes_max).collect()).await else {
        let detail = format!("the request's body has not come within {} s", BODY_WITHIN.as_secs());
        return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, detail, "send it in parts"));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let detail = format!("the request's body is longer than {bytes_max} bytes");
            Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, detail, "send it in parts"))
        }
        Err(_) => Err(Refused::new(StatusCode::BAD_REQUEST, "the request's body broke off", "send it again")),
    }
}

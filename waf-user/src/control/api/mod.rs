//! The API: HTTP requests with a token -> plans, changes and answers in the words of [`words`]. Knows neither sockets nor
//! TLS, and decides nothing about placement.
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /v1/healthz`, `GET /v1/openapi.json` | anyone | |
//! | `GET /v1/whoami` | any token | |
//! | `GET /v1/sites`, `GET /v1/sites/{fqdn}`, `GET /v1/sites/{fqdn}/notice` | any token | a customer's: its own sites |
//! | `GET /v1/sites/{fqdn}/usage` | any token | a customer's: its own sites |
//! | `GET /v1/sites/{fqdn}/environments`, `GET /v1/usage` | operators | placements |
//! | `POST /v1/plans`, `GET /v1/plans/{id}`, `POST /v1/plans/{id}/apply` | any token | a customer's: its own plans |
//! | `GET /v1/plans/{id}/detail`, `POST /v1/plans/evacuation` | operators | |
//! | `GET, PUT /v1/nodes`, `GET, DELETE /v1/nodes/{name}` | operators | |
//! | `POST /v1/nodes/{name}/{drain,undrain,dead,join-token,revoke}` | operators | |
//! | `GET /v1/customers`, `PUT, DELETE /v1/customers/{name}` | operators | |
//! | `GET, POST /v1/tokens`, `DELETE /v1/tokens/{id}` | operators | |
//! | `GET, POST /v1/bans`, `POST /v1/bans/lift` | any token | a customer's: on its own sites |
//! | `GET /v1/audit`, `GET /v1/export` | operators | |

pub mod words;

mod body;
mod caller;
mod kept;
mod refused;
mod show;
mod turns;

mod bans;
mod nodes;
mod people;
mod plans;
mod sites;
mod usage;
mod whole;

mod openapi;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};

use super::authority::Authority;
use super::bans::BanBook;
use super::ledger::Ledger;
use super::store::Store;
use super::sync::Fleet;
use super::token::TokenBook;
use crate::model::{Mono, Wall};

use kept::Plans;
use refused::Refused;
use turns::Turns;

/// What all requests are answered from. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    store: Arc<dyn Store>,
    ledger: Arc<Ledger>,
    tokens: TokenBook,
    bans: Arc<BanBook>,
    authority: Arc<Authority>,
    fleet: Arc<Fleet>,
    plans: Arc<Plans>,
    turns: Turns,
    /// Reads the time of day.
    clock: fn() -> Wall,
    /// Reads the time that nodes' usage is told by.
    uptime: fn() -> Mono,
}

/// What the time is read from.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// The time of day.
    pub clock: fn() -> Wall,
    /// The time that nodes' usage is told by.
    pub uptime: fn() -> Mono,
}

impl Api {
    pub fn new(
        store: Arc<dyn Store>,
        ledger: Arc<Ledger>,
        bans: Arc<BanBook>,
        authority: Arc<Authority>,
        fleet: Arc<Fleet>,
        Clocks { clock, uptime }: Clocks,
    ) -> Self {
        let tokens = TokenBook::new(Arc::clone(&store));
        Self {
            store,
            ledger,
            tokens,
            bans,
            authority,
            fleet,
            plans: Arc::default(),
            turns: Turns::default(),
            clock,
            uptime,
        }
    }

    /// Every route.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/healthz", get(whole::health))
            .route("/v1/openapi.json", get(whole::openapi))
            .route("/v1/audit", get(whole::audit))
            .route("/v1/export", get(whole::export))
            .route("/v1/whoami", get(people::whoami))
            .route("/v1/sites", get(sites::list))
            .route("/v1/sites/{fqdn}", get(sites::one))
            .route("/v1/sites/{fqdn}/notice", get(sites::notice))
            .route("/v1/sites/{fqdn}/usage", get(usage::one))
            .route("/v1/usage", get(usage::all))
            .route("/v1/sites/{fqdn}/environments", get(sites::environments))
            .route("/v1/plans", post(plans::make))
            .route("/v1/plans/evacuation", post(plans::evacuate))
            .route("/v1/plans/{id}", get(plans::one))
            .route("/v1/plans/{id}/detail", get(plans::detail))
            .route("/v1/plans/{id}/apply", post(plans::apply))
            .route("/v1/nodes", get(nodes::list).put(nodes::put))
            .route("/v1/nodes/{name}", get(nodes::one).delete(nodes::remove))
            .route("/v1/nodes/{name}/drain", post(nodes::drain))
            .route("/v1/nodes/{name}/undrain", post(nodes::undrain))
            .route("/v1/nodes/{name}/dead", post(nodes::dead))
            .route("/v1/nodes/{name}/join-token", post(nodes::join_token))
            .route("/v1/nodes/{name}/revoke", post(nodes::revoke))
            .route("/v1/customers", get(people::customers))
            .route("/v1/customers/{name}", put(people::put_customer).delete(people::remove_customer))
            .route("/v1/tokens", get(people::tokens).post(people::make_token))
            .route("/v1/tokens/{id}", delete(people::revoke_token))
            .route("/v1/bans", get(bans::list).post(bans::make))
            .route("/v1/bans/lift", post(bans::lift))
            .fallback(no_route)
            .method_not_allowed_fallback(no_method)
            .layer(from_fn(whole_request))
            // Each handler reads its body within the limit that it names.
            .layer(DefaultBodyLimit::disable())
            .with_state(self)
    }
}

/// A change that has begun is finished, whoever hangs up meanwhile.
async fn whole_request(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a request of the API was not answered");
            let cure = "look whether it did what it was to do; tell us";
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here", cure).into_response()
        }
    }
}

async fn no_route(uri: Uri) -> Refused {
    Refused::not_found("route", uri.path())
}

async fn no_method() -> Refused {
    let cure = "see GET /v1/openapi.json";
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "this route has not this method", cure)
}

#[cfg(test)]
mod tests;

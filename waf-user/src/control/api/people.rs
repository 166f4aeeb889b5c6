//! `/v1/customers`, `/v1/tokens`, `/v1/whoami`: who has sites, and who may speak.

use axum::extract::State;

use super::body::{Json, Named};
use super::caller::{Caller, Operator};
use super::refused::Refused;
use super::words::{
    Changed, CustomerPut, CustomerView, Customers, RoleView, TokenMade, TokenNew, TokenView, Tokens, Whoami,
};
use super::{Api, show};
use crate::control::environment::Customer;
use crate::control::ledger::CustomerRecord;
use crate::control::token::{NOTE_LEN_MAX, Role, Wanted};
use crate::model::Wall;

/// Days of a token: ten years.
const DAYS_MAX: u32 = 3650;
const DAY_MS: u64 = 24 * 3600 * 1000;

/// All customers.
#[utoipa::path(get, path = "/v1/customers", responses((status = 200, body = Customers)))]
pub async fn customers(State(api): State<Api>, _operator: Operator) -> axum::Json<Customers> {
    let known = api.ledger.view();
    let sites = |name: &Customer| known.state.sites().values().filter(|site| site.customer == *name).count();
    let customers = known.customers.iter().map(|(name, record)| CustomerView {
        name: name.to_string(),
        note: record.note.clone(),
        sites: sites(name) as u64,
    });
    axum::Json(Customers { revision: known.revision().0, customers: customers.collect() })
}

/// Makes a customer, or changes the remark.
#[utoipa::path(put, path = "/v1/customers/{name}", params(("name" = String, Path)), request_body = CustomerPut, responses((status = 200, body = Changed)))]
pub async fn put_customer(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(name): Named,
    Json(put): Json<CustomerPut>,
) -> Result<axum::Json<Changed>, Refused> {
    let customer = Customer::new(&name).map_err(|error| Refused::field("name", error.to_string(), ""))?;
    if put.note.chars().count() > NOTE_LEN_MAX {
        return Err(Refused::field("note", format!("has more than {NOTE_LEN_MAX} characters"), ""));
    }
    let now = (api.clock)();
    let actor = caller.actor();
    if !api.ledger.view().customers.contains_key(&customer) {
        // Of one of this name that was removed, where that broke off.
        api.tokens.revoke_all(&customer, &actor, now).await?;
    }
    let record = CustomerRecord { name: customer, note: put.note, since: now };
    let applied = api.ledger.put_customer(&record, &actor, now).await?;
    Ok(axum::Json(Changed { revision: applied.revision.0 }))
}

/// Removes a customer without sites, and its tokens.
#[utoipa::path(delete, path = "/v1/customers/{name}", params(("name" = String, Path)), responses((status = 200, body = Changed)))]
pub async fn remove_customer(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(name): Named,
) -> Result<axum::Json<Changed>, Refused> {
    let customer = known_customer(&api, &name)?;
    let (actor, now) = (caller.actor(), (api.clock)());
    let applied = api.ledger.remove_customer(&customer, &actor, now).await?;
    api.tokens.revoke_all(&customer, &actor, now).await?;
    Ok(axum::Json(Changed { revision: applied.revision.0 }))
}

/// All tokens, without their texts.
#[utoipa::path(get, path = "/v1/tokens", responses((status = 200, body = Tokens)))]
pub async fn tokens(State(api): State<Api>, _operator: Operator) -> Result<axum::Json<Tokens>, Refused> {
    Ok(axum::Json(Tokens { tokens: api.tokens.list().await?.iter().map(show::token).collect() }))
}

/// Makes a token; its text is shown this one time.
#[utoipa::path(post, path = "/v1/tokens", request_body = TokenNew, responses((status = 200, body = TokenMade)))]
pub async fn make_token(
    State(api): State<Api>,
    Operator(caller): Operator,
    Json(new): Json<TokenNew>,
) -> Result<axum::Json<TokenMade>, Refused> {
    let role = match (new.role, &new.customer) {
        (RoleView::Operator, None) => Role::Operator,
        (RoleView::Customer, Some(name)) => Role::Customer(known_customer(&api, name)?),
        (RoleView::Operator, Some(_)) => {
            return Err(Refused::field("customer", "an operator's token is no customer's", "leave it out"));
        }
        (RoleView::Customer, None) => {
            return Err(Refused::field("customer", "is required", "say whose token it is"));
        }
    };
    let now = (api.clock)();
    let expires = match new.days {
        Some(days @ 1..=DAYS_MAX) => Some(Wall(now.0.saturating_add(u64::from(days) * DAY_MS))),
        Some(days) => return Err(Refused::field("days", format!("{days} is outside 1..{DAYS_MAX}"), "")),
        None => None,
    };
    // The customer may be removed while its token is made: then there is none.
    let guard = match &role {
        Role::Operator => None,
        Role::Customer(customer) => Some(api.ledger.customer_guard(customer).await?),
    };
    let wanted = Wanted { role, note: &new.note, expires };
    let (text, token) = api.tokens.make(wanted, guard.as_slice(), (&caller.actor(), now)).await?;
    Ok(axum::Json(TokenMade { token: text.reveal().to_owned(), view: show::token(&token) }))
}

/// Ends a token at once.
#[utoipa::path(delete, path = "/v1/tokens/{id}", params(("id" = String, Path)), responses((status = 200, body = TokenView)))]
pub async fn revoke_token(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(id): Named,
) -> Result<axum::Json<TokenView>, Refused> {
    let token = api.tokens.revoke(&id, (&caller.actor(), (api.clock)())).await?;
    Ok(axum::Json(show::token(&token)))
}

/// The token of this request.
#[utoipa::path(get, path = "/v1/whoami", responses((status = 200, body = Whoami)))]
pub async fn whoami(caller: Caller) -> axum::Json<Whoami> {
    axum::Json(Whoami { token: show::token(&caller.token) })
}

fn known_customer(api: &Api, name: &str) -> Result<Customer, Refused> {
    let customer = Customer::new(name).ok();
    let found = customer.filter(|customer| api.ledger.view().customers.contains_key(customer));
    found.ok_or_else(|| Refused::not_found("customer", name))
}

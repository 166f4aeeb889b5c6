//! A request's `Authorization` -> who asks, and what that one may see. Every handler but the public ones takes a [`Caller`]
//! or an [`Operator`], before the body is read.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::Api;
use super::refused::Refused;
use super::turns::Turn;
use crate::control::environment::{Customer, Site};
use crate::control::ledger::{Actor, View};
use crate::control::sheet::to_a_labels;
use crate::control::token::{Role, Token, TokenText};
use crate::model::Fqdn;

/// Whoever has a good token, as long as the request is under way.
#[derive(Debug)]
pub struct Caller {
    pub token: Token,
    _turn: Option<Turn>,
}

impl Caller {
    /// None: an operator.
    pub fn customer(&self) -> Option<&Customer> {
        match &self.token.role {
            Role::Operator => None,
            Role::Customer(customer) => Some(customer),
        }
    }

    pub fn is_operator(&self) -> bool {
        self.token.role == Role::Operator
    }

    pub fn may_see(&self, site: &Site) -> bool {
        self.customer().is_none_or(|customer| *customer == site.customer)
    }

    /// A site that this one may see, by its name in U-labels or A-labels. Another customer's is answered as one that is not there.
    ///
    /// # Errors
    /// 404.
    pub fn site<'a>(&self, known: &'a View, name: &str) -> Result<&'a Site, Refused> {
        let fqdn = to_a_labels(name).and_then(|name| Fqdn::new(&name).ok());
        let site = fqdn.and_then(|fqdn| known.state.sites().get(&fqdn));
        site.filter(|site| self.may_see(site)).ok_or_else(|| Refused::not_found("site", name))
    }

    /// For the audit log: the token's id, and its note, which may be another's too.
    pub fn actor(&self) -> Actor {
        let token = format!("{} {}", self.token.id, self.token.note).trim_end().to_owned();
        match self.customer() {
            None => Actor::Operator(token),
            Some(customer) => Actor::Customer { customer: customer.clone(), token },
        }
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refused> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let text = header.and_then(|value| {
            let (scheme, rest) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
        });
        let text = text.and_then(TokenText::parse).ok_or_else(Refused::unknown_token)?;
        let token = api.tokens.find(&text, (api.clock)()).await?;
        let token = token.ok_or_else(Refused::unknown_token)?;
        let turn = match &token.role {
            Role::Operator => None,
            Role::Customer(customer) => {
                Some(api.turns.begin(customer).ok_or_else(Refused::too_many_at_once)?)
            }
        };
        Ok(Self { token, _turn: turn })
    }
}

/// An operator.
#[derive(Debug)]
pub struct Operator(pub Caller);

impl FromRequestParts<Api> for Operator {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refused> {
        let caller = Caller::from_request_parts(parts, api).await?;
        if caller.is_operator() { Ok(Self(caller)) } else { Err(Refused::operators_only()) }
    }
}

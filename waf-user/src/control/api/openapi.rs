//! The OpenAPI document, from the handlers and the words themselves.

use utoipa::OpenApi;

use super::{bans, nodes, people, plans, sites, usage, whole};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "waf control",
        description = "Sites, plans, nodes, customers, tokens and bans of a cloud WAF."
    ),
    paths(
        whole::health,
        whole::openapi,
        whole::audit,
        whole::export,
        sites::list,
        sites::one,
        sites::notice,
        sites::environments,
        usage::one,
        usage::all,
        plans::make,
        plans::evacuate,
        plans::one,
        plans::detail,
        plans::apply,
        nodes::list,
        nodes::put,
        nodes::one,
        nodes::remove,
        nodes::drain,
        nodes::undrain,
        nodes::dead,
        nodes::join_token,
        nodes::revoke,
        people::customers,
        people::put_customer,
        people::remove_customer,
        people::tokens,
        people::make_token,
        people::revoke_token,
        people::whoami,
        bans::list,
        bans::make,
        bans::lift,
    ),
    components(schemas(super::words::Language, super::words::Problem))
)]
pub struct Document;

//! `/v1/nodes`: the inventory, for operators.

use std::time::Duration;

use axum::extract::State;
use ipnet::Ipv4Net;

use super::body::{Json, LONG_BODY_BYTES_MAX, Named};
use super::caller::Operator;
use super::refused::Refused;
use super::words::{
    Changed, JoinToken, JoinTokenNew, Mistake, NodeStateView, NodeView, Nodes, NodesPut, RatesView, Revoked,
};
use super::{Api, show};
use crate::control::capacity::Rates;
use crate::control::inventory::{Node, NodeState, Pool, Region};
use crate::control::ledger::View;
use crate::control::sheet::Residency;
use crate::model::{Carrier, NodeName, Wall};

/// Seconds that a join token is good for: an hour unless said otherwise, a week at most.
const JOIN_SECONDS: u64 = 3600;
const JOIN_SECONDS_MAX: u64 = 7 * 24 * 3600;

/// All nodes with what is reserved on them.
#[utoipa::path(get, path = "/v1/nodes", responses((status = 200, body = Nodes)))]
pub async fn list(State(api): State<Api>, _operator: Operator) -> axum::Json<Nodes> {
    let known = api.ledger.view();
    let standing = |node: &Node| api.fleet.standing(&node.name);
    let nodes = known.inventory.nodes().iter();
    let nodes = nodes.map(|node| show::node(&known, node, standing(node).as_ref())).collect();
    axum::Json(Nodes { revision: known.revision().0, nodes })
}

/// One node.
#[utoipa::path(get, path = "/v1/nodes/{name}", params(("name" = String, Path)), responses((status = 200, body = NodeView)))]
pub async fn one(
    State(api): State<Api>,
    _operator: Operator,
    Named(name): Named,
) -> Result<axum::Json<NodeView>, Refused> {
    let known = api.ledger.view();
    let found = find(&known, &name)?;
    Ok(axum::Json(show::node(&known, found, api.fleet.standing(&found.name).as_ref())))
}

/// Adds nodes and changes those that are there.
#[utoipa::path(put, path = "/v1/nodes", request_body = NodesPut, responses((status = 200, body = Changed)))]
pub async fn put(
    State(api): State<Api>,
    Operator(caller): Operator,
    Json(put): Json<NodesPut, LONG_BODY_BYTES_MAX>,
) -> Result<axum::Json<Changed>, Refused> {
    let known = api.ledger.view();
    let (mut nodes, mut mistakes) = (Vec::new(), Vec::new());
    for (at, view) in put.nodes.iter().enumerate() {
        match read(&known, view) {
            Ok(node) => nodes.push(node),
            Err((field, error)) => {
                mistakes.push(Mistake { field: format!("nodes[{at}].{field}"), error, cure: String::new() })
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(Refused::mistakes(mistakes));
    }
    let applied = api.ledger.put_nodes(nodes, &caller.actor(), (api.clock)()).await?;
    Ok(axum::Json(Changed { revision: applied.revision.0 }))
}

/// Takes a node that serves nothing out of the inventory, and its certificates away.
#[utoipa::path(delete, path = "/v1/nodes/{name}", params(("name" = String, Path)), responses((status = 200, body = Changed)))]
pub async fn remove(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(name): Named,
) -> Result<axum::Json<Changed>, Refused> {
    let node = find(&api.ledger.view(), &name)?.name.clone();
    let (actor, now) = (caller.actor(), (api.clock)());
    let applied = api.ledger.remove_node(&node, &actor, now).await?;
    api.authority.expel(&node, (&actor, now)).await?;
    Ok(axum::Json(Changed { revision: applied.revision.0 }))
}

/// The node takes nothing more, and is to be emptied.
#[utoipa::path(post, path = "/v1/nodes/{name}/drain", params(("name" = String, Path)), responses((status = 200, body = Changed)))]
pub async fn drain(
    State(api): State<Api>,
    operator: Operator,
    Named(name): Named,
) -> Result<axum::Json<Changed>, Refused> {
    set_state(&api, &operator, &name, NodeState::Draining).await
}

/// The node takes sites again.
#[utoipa::path(post, path = "/v1/nodes/{name}/undrain", params(("name" = String, Path)), responses((status = 200, body = Changed)))]
pub async fn undrain(
    State(api): State<Api>,
    operator: Operator,
    Named(name): Named,
) -> Result<axum::Json<Changed>, Refused> {
    set_state(&api, &operator, &name, NodeState::Active).await
}

/// The node is gone for good.
#[utoipa::path(post, path = "/v1/nodes/{name}/dead", params(("name" = String, Path)), responses((status = 200, body = Changed)))]
pub async fn dead(
    State(api): State<Api>,
    operator: Operator,
    Named(name): Named,
) -> Result<axum::Json<Changed>, Refused> {
    set_state(&api, &operator, &name, NodeState::Dead).await
}

/// A token with which this node may join, once.
#[utoipa::path(post, path = "/v1/nodes/{name}/join-token", params(("name" = String, Path)), request_body = JoinTokenNew, responses((status = 200, body = JoinToken)))]
pub async fn join_token(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(name): Named,
    Json(new): Json<JoinTokenNew>,
) -> Result<axum::Json<JoinToken>, Refused> {
    let node = find(&api.ledger.view(), &name)?.name.clone();
    let seconds = new.seconds.unwrap_or(JOIN_SECONDS);
    if !(1..=JOIN_SECONDS_MAX).contains(&seconds) {
        return Err(Refused::field("seconds", format!("{seconds} is outside 1..{JOIN_SECONDS_MAX}"), ""));
    }
    let (now, lasts) = ((api.clock)(), Duration::from_secs(seconds));
    let token = api.authority.invite(&node, lasts, (&caller.actor(), now)).await?;
    let expires = show::moment(Wall(now.0.saturating_add(seconds * 1000)));
    Ok(axum::Json(JoinToken { node: node.to_string(), token: token.expose().to_owned(), expires }))
}

/// Takes a node's certificates away: it is refused until it joins again with a new token, and serves what it has.
#[utoipa::path(post, path = "/v1/nodes/{name}/revoke", params(("name" = String, Path)), responses((status = 200, body = Revoked)))]
pub async fn revoke(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(name): Named,
) -> Result<axum::Json<Revoked>, Refused> {
    // One that left the inventory while this broke off is still known by its certificates.
    let node = NodeName::new(&name).map_err(|_| Refused::not_found("node", &name))?;
    let certificates = api.authority.expel(&node, (&caller.actor(), (api.clock)())).await?;
    if certificates == 0 {
        find(&api.ledger.view(), &name)?;
    }
    Ok(axum::Json(Revoked { certificates: certificates as u64 }))
}

async fn set_state(
    api: &Api,
    Operator(caller): &Operator,
    name: &str,
    state: NodeState,
) -> Result<axum::Json<Changed>, Refused> {
    let node = find(&api.ledger.view(), name)?.name.clone();
    let applied = api.ledger.set_node_state(&node, state, &caller.actor(), (api.clock)()).await?;
    Ok(axum::Json(Changed { revision: applied.revision.0 }))
}

fn find<'a>(known: &'a View, name: &str) -> Result<&'a Node, Refused> {
    let node = NodeName::new(name).ok().and_then(|name| known.inventory.node(&name));
    node.ok_or_else(|| Refused::not_found("node", name))
}

/// A node, or the field that is wrong.
fn read(known: &View, view: &NodeView) -> Result<Node, (&'static str, String)> {
    let name = NodeName::new(&view.name).map_err(|error| ("name", error.to_string()))?;
    let network = |text: &String| {
        let address = || text.parse::<std::net::Ipv4Addr>().ok().map(Ipv4Net::from);
        text.parse::<Ipv4Net>().ok().or_else(address).ok_or_else(|| format!("{text:?} is no IPv4 prefix"))
    };
    let ipv4 =
        view.ipv4.iter().map(network).collect::<Result<Vec<_>, _>>().map_err(|error| ("ipv4", error))?;
    let sources = view.sources.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    let state = match view.state {
        Some(NodeStateView::Active) => NodeState::Active,
        Some(NodeStateView::Draining) => NodeState::Draining,
        Some(NodeStateView::Dead) => NodeState::Dead,
        None => known.inventory.node(&name).map_or(NodeState::Active, |node| node.state),
    };
    let RatesView { requests_s, mbit_s, handshakes_s } = view.capacity;
    let node = Node {
        carrier: Carrier::new(&view.carrier).map_err(|error| ("carrier", error.to_string()))?,
        region: Region(view.region.clone()),
        residency: Residency::new(&view.residency).map_err(|error| ("residency", error.to_string()))?,
        capacity: Rates { requests_s, mbit_s, handshakes_s },
        ipv4: Pool::new(ipv4).map_err(|error| ("ipv4", error.to_string()))?,
        ipv6: match &view.ipv6 {
            Some(text) => Some(text.parse().map_err(|_| ("ipv6", "is no IPv6 prefix".to_owned()))?),
            None => None,
        },
        sources: sources.map_err(|_| ("sources", "one of them is no address".to_owned()))?,
        state,
        name,
    };
    match node.source_that_serves() {
        None => Ok(node),
        Some((source, prefix)) => {
            let error = format!(
                "{source} lies in {prefix}, which sites are served on: the filter would drop what origins answer; name one outside"
            );
            Err(("sources", error))
        }
    }
}

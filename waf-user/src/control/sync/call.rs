//! A request -> its answer: joining and renewing in whole bodies, a stream by [`super::stream`]; what is refused, with a
//! sentence.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::Refused;
use super::fleet::Fleet;
use super::stream;
use crate::control::authority::AuthorityError;
use crate::model::sync::{
    CALL_BYTES_MAX, JOIN_PATH, JoinReply, JoinRequest, RENEW_PATH, Refusal, RenewRequest, SYNC_PATH,
};
use crate::model::{Wall, chain};
use crate::tls::Peer;

/// Answers one request.
pub async fn answer(
    fleet: Arc<Fleet>,
    peer: Option<Peer>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path();
    let answered = match (path, &peer) {
        (JOIN_PATH | RENEW_PATH | SYNC_PATH, _) if head.method != Method::POST => {
            Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} takes POST only")))
        }
        (JOIN_PATH, _) => join(&fleet, &mut body).await,
        (RENEW_PATH, Some(peer)) => renew(&fleet, peer, &mut body).await,
        (SYNC_PATH, Some(peer)) => return stream::serve(fleet, peer.clone(), body, respond).await,
        (RENEW_PATH | SYNC_PATH, None) => Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            format!("{path} needs this node's certificate: join with a token first"),
        )),
        _ => Err(Refused::new(StatusCode::NOT_FOUND, "there is /join, /renew and /sync, and nothing else")),
    };
    match answered {
        Ok(reply) => reply_with(&mut respond, StatusCode::OK, &reply, fleet.times.taken).await,
        Err(refused) => refuse(&fleet, &mut respond, refused, peer.as_ref()).await,
    }
}

async fn join(fleet: &Fleet, body: &mut RecvStream) -> Result<JoinReply, Refused> {
    let request: JoinRequest = read(body, fleet.times.request).await?;
    let joined = fleet.authority.join(&request, Wall::now()).await;
    let reply = joined.map_err(|error| of_authority("issue a certificate", &error))?;
    tracing::info!(node = request.node, "a node has joined");
    Ok(reply)
}

async fn renew(fleet: &Fleet, peer: &Peer, body: &mut RecvStream) -> Result<JoinReply, Refused> {
    let request: RenewRequest = read(body, fleet.times.request).await?;
    let node = fleet.admit(peer).await?;
    let renewed = fleet.authority.renew(&node, &peer.serial, &request.request, Wall::now()).await;
    let reply = renewed.map_err(|error| of_authority("renew a certificate", &error))?;
    tracing::info!(%node, "a node has renewed its certificate");
    Ok(reply)
}

fn of_authority(what: &'static str, error: &AuthorityError) -> Refused {
    if error.is_refusal() {
        Refused::new(StatusCode::FORBIDDEN, chain(error))
    } else {
        Refused::ours(what, error)
    }
}

/// A whole request. Its bytes are wiped: some hold a token.
async fn read<T: DeserializeOwned>(body: &mut RecvStream, within: Duration) -> Result<T, Refused> {
    let bytes = timeout(within, bytes(body)).await.map_err(|_late| {
        Refused::new(StatusCode::REQUEST_TIMEOUT, format!("the request did not come within {within:?}"))
    })??;
    serde_json::from_slice(&bytes).map_err(|error| {
        Refused::new(StatusCode::BAD_REQUEST, format!("this is no request of this kind: {error}"))
    })
}

async fn bytes(body: &mut RecvStream) -> Result<zeroize::Zeroizing<Vec<u8>>, Refused> {
    let mut all = zeroize::Zeroizing::new(Vec::new());
    while let Some(part) = body.data().await {
        let part = part.map_err(|error| Refused::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        if all.len() + part.len() > CALL_BYTES_MAX {
            let sentence = format!("a request has at most {CALL_BYTES_MAX} bytes");
            return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, sentence));
        }
        all.extend_from_slice(&part);
        // The connection is gone where this fails, and the next part says so.
        let _ = body.flow_control().release_capacity(part.len());
    }
    Ok(all)
}

/// Answers with a sentence in place of what was asked for.
pub async fn refuse(fleet: &Fleet, respond: &mut SendResponse<Bytes>, refused: Refused, peer: Option<&Peer>) {
    let Refused { status, sentence } = refused;
    let node = peer.map_or("(without a certificate)", |peer| &peer.name);
    tracing::warn!(node, status = status.as_u16(), error = sentence, "a node is refused");
    reply_with(respond, status, &Refusal { error: sentence }, fleet.times.taken).await;
}

async fn reply_with<T: Serialize>(
    respond: &mut SendResponse<Bytes>,
    status: StatusCode,
    reply: &T,
    within: Duration,
) {
    let Ok(body) = serde_json::to_vec(reply) else { return };
    let head = Response::builder().status(status).header(CONTENT_TYPE, "application/json").body(());
    let Ok(head) = head else { return };
    // Whoever does not wait for the answer does not get it.
    if let Ok(mut out) = respond.send_response(head, false) {
        let _ = send(&mut out, body.into(), true, within).await;
    }
}

/// Sends bytes as the other side takes them, some within each `within`.
///
/// # Errors
/// The connection is gone, or the other side takes nothing for too long.
pub async fn send(
    out: &mut SendStream<Bytes>,
    mut bytes: Bytes,
    is_last: bool,
    within: Duration,
) -> Result<(), String> {
    while !bytes.is_empty() {
        out.reserve_capacity(bytes.len());
        let granted = timeout(within, std::future::poll_fn(|cx| out.poll_capacity(cx))).await;
        let granted = granted.map_err(|_late| format!("the node took nothing for {within:?}"))?;
        let granted = granted.ok_or("the stream has ended")?.map_err(|error| error.to_string())?;
        let part = bytes.split_to(granted.min(bytes.len()));
        let at_end = is_last && bytes.is_empty();
        out.send_data(part, at_end).map_err(|error| error.to_string())?;
    }
    Ok(())
}

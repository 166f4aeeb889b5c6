//! One stream with a node: what it says goes to its session and to whom it concerns, what is due is sent. Both ways at
//! once, so that neither side waits for the other to read.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::call::{refuse, send};
use super::error::Refused;
use super::fleet::Fleet;
use super::limits::{UP_BYTES_MAX, WHY_CHARS_MAX, WORD_CHARS_MAX};
use super::seat::Seat;
use super::session::Due;
use super::told::Told;
use crate::model::sync::{
    BanRecord, Certificate, Down, FleetScope, Frames, Greeting, KeyText, Lifted, Status, Up, frame,
};
use crate::model::{Mono, Wall, chain};
use crate::secret::hex;
use crate::tls::Peer;

/// Why a stream ended.
type Ended = String;

/// Serves one stream to its end.
pub async fn serve(fleet: Arc<Fleet>, peer: Peer, body: RecvStream, mut respond: SendResponse<Bytes>) {
    let mut ear = Ear { body, frames: Frames::bounded(UP_BYTES_MAX) };
    let (seat, bans_seen) = match greeted(&fleet, &peer, &mut ear).await {
        Ok(greeted) => greeted,
        Err(refused) => return refuse(&fleet, &mut respond, refused, Some(&peer)).await,
    };
    // Also where the connection goes, and this with it.
    let seated = Seated { fleet: &fleet, seat: &seat };
    let opened = Response::builder().status(StatusCode::OK).body(());
    if let Ok(opened) = opened
        && let Ok(out) = respond.send_response(opened, false)
    {
        tracing::info!(node = %seat.node, software = seat.software, "a node is connected");
        let mut mouth = Mouth { out, is_within: false, taken: fleet.times.taken };
        let ended = tokio::select! {
            ended = seat.ended() => ended,
            ended = hear(&fleet, &seat, &mut ear) => ended,
            ended = speak(&fleet, &seat, &mut mouth, bans_seen) => ended,
        };
        tracing::info!(node = %seat.node, why = ended, "the stream with a node has ended");
        drop(seated);
        mouth.last(ended).await;
    }
}

/// A seat taken; given up when this goes.
struct Seated<'a> {
    fleet: &'a Fleet,
    seat: &'a Arc<Seat>,
}

impl Drop for Seated<'_> {
    fn drop(&mut self) {
        self.fleet.leave(self.seat);
    }
}

/// A seat for the node, and the bans that it has seen.
async fn greeted(fleet: &Fleet, peer: &Peer, ear: &mut Ear) -> Result<(Arc<Seat>, u64), Refused> {
    let bad = |sentence: String| Refused::new(StatusCode::BAD_REQUEST, sentence);
    match timeout(fleet.times.request, ear.next::<Up>()).await {
        Ok(Ok(Up::Hello(hello))) => {
            let hello = bounded(hello);
            Ok((fleet.seat(peer.clone(), &hello, Wall::now()).await?, hello.bans_seen))
        }
        Ok(Ok(_)) => Err(bad("a stream begins with a hello".to_owned())),
        Ok(Err(ended)) => Err(bad(ended)),
        Err(_late) => {
            let within = fleet.times.request;
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, format!("no hello came within {within:?}")))
        }
    }
}

/// What is no longer than any node says it: a longer hash is nobody's, and a longer name no node's.
fn bounded(hello: Greeting) -> Greeting {
    let word = |text: String| match text.char_indices().nth(WORD_CHARS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    };
    Greeting { node: word(hello.node), hash: word(hello.hash), software: word(hello.software), ..hello }
}

/// Takes what the node says, until it says no more.
async fn hear(fleet: &Fleet, seat: &Arc<Seat>, ear: &mut Ear) -> Ended {
    loop {
        let up = match timeout(fleet.times.silence, ear.next::<Up>()).await {
            Ok(Ok(up)) => up,
            Ok(Err(ended)) => return ended,
            Err(_late) => return format!("the node was silent for {:?}", fleet.times.silence),
        };
        if seat.peer.ends <= Wall::now() {
            return "the certificate of this stream has ended: renew it in time, or join again".to_owned();
        }
        match up {
            Up::Status(status) => {
                fleet.usage().told(&seat.node, &status, Mono::now());
                let status = Status { usage: Vec::new(), ..status };
                if seat.tell(status) {
                    fleet.kept.tell(&seat.node);
                }
            }
            Up::Ban(ban) => put(fleet, seat, ban),
            Up::Lift(lifted) => lift(fleet, seat, lifted),
            mut up => {
                if let Up::Refused { generation, why } = &mut up {
                    *why = why.chars().take(WHY_CHARS_MAX).collect();
                    tracing::error!(node = %seat.node, %generation, why = *why, "a node refuses what it is to serve");
                }
                let heard = seat.session().hear(up, Mono::now());
                match heard {
                    Ok(heard) => fleet.heard(seat, &heard),
                    Err(ended) => return ended,
                }
            }
        }
    }
}

/// A ban of the rules of a node holds for its own tenants, never for the fleet: one node's word is not enough for that.
fn put(fleet: &Fleet, seat: &Seat, ban: BanRecord) {
    let is_own = matches!(ban.scope, FleetScope::Tenant(tenant) if seat.session().has_tenant(tenant));
    if !is_own {
        return tracing::warn!(node = %seat.node, scope = %ban.scope, "a node bans for others: not heeded");
    }
    if let Err(error) = fleet.bans.put_of_node(&seat.node, ban, Wall::now()) {
        tracing::warn!(node = %seat.node, error = chain(&error), "a node's ban holds there only");
    }
}

/// Lifting is an operator's, who may do so at any node for the whole fleet, and for the tenants that it serves: it knows no
/// others' bans.
fn lift(fleet: &Fleet, seat: &Seat, lifted: Lifted) {
    if matches!(lifted.scope, FleetScope::Tenant(tenant) if !seat.session().has_tenant(tenant)) {
        return tracing::warn!(node = %seat.node, scope = %lifted.scope, "a node lifts for others: not heeded");
    }
    tracing::info!(node = %seat.node, scope = %lifted.scope, prefix = %lifted.prefix, "an operator of a node lifts a ban");
    if let Err(error) = fleet.bans.lift_of_node(&seat.node, lifted) {
        tracing::warn!(node = %seat.node, error = chain(&error), "a ban is lifted at that node only");
    }
}

/// Sends what is due, for ever: documents first, bans part by part between them.
async fn speak(fleet: &Fleet, seat: &Arc<Seat>, mouth: &mut Mouth, bans_seen: u64) -> Ended {
    let mut changed = fleet.bans.changed();
    let mut told = Told::new(bans_seen, seat.session().served().cloned());
    loop {
        let due = seat.session().due(fleet.go(), Mono::now());
        let said = match due {
            Some(due) => say_document(fleet, seat, mouth, due).await,
            None => {
                let revision = *changed.borrow_and_update();
                let (served, target) = {
                    let session = seat.session();
                    (session.served().cloned(), Arc::clone(session.target()))
                };
                match told.due(&fleet.bans, revision, served, &target) {
                    Some(bans) => mouth.say(&Down::Bans(bans)).await,
                    None => {
                        tokio::select! {
                            () = seat.wake.notified() => {}
                            _ = changed.changed() => {}
                            // What was refused is tried again some time.
                            () = sleep(fleet.times.silence) => {}
                        }
                        Ok(())
                    }
                }
            }
        };
        if let Err(ended) = said {
            return ended;
        }
    }
}

async fn say_document(fleet: &Fleet, seat: &Arc<Seat>, mouth: &mut Mouth, due: Due) -> Result<(), Ended> {
    match due {
        Due::Document { target, base } => {
            mouth.say(&target.message(base.as_deref(), &seat.node, &fleet.authority)).await
        }
        Due::Activate { generation } => mouth.say(&Down::Activate { generation }).await,
        Due::Certificate(fingerprint) => match certificate(fleet, &fingerprint).await {
            Ok(certificate) => mouth.say(&Down::Certificate(certificate)).await,
            Err(why) => {
                tracing::error!(node = %seat.node, fingerprint, why, "a node lacks a certificate");
                seat.session().lacks(why, Mono::now());
                fleet.settled(seat);
                Ok(())
            }
        },
    }
}

async fn certificate(fleet: &Fleet, fingerprint: &str) -> Result<Certificate, String> {
    let bytes = hex::decode(fingerprint).and_then(|bytes| bytes.try_into().ok());
    let bytes: [u8; 32] = bytes.ok_or_else(|| format!("{fingerprint} is no fingerprint"))?;
    let (chain, key) = fleet.ledger.certificate(&bytes).await.map_err(|error| chain(&error))?;
    let key =
        std::str::from_utf8(key.expose()).map_err(|_| format!("the key of {fingerprint} is no text"))?;
    Ok(Certificate { fingerprint: fingerprint.to_owned(), chain, key: KeyText::new(key.to_owned()) })
}

/// What comes from the node.
struct Ear {
    body: RecvStream,
    frames: Frames,
}

impl Ear {
    async fn next<T: DeserializeOwned>(&mut self) -> Result<T, Ended> {
        loop {
            if let Some(message) = self.frames.next().map_err(|error| chain(&error))? {
                return Ok(message);
            }
            let part = self.body.data().await.ok_or("the node has ended it")?;
            let part = part.map_err(|error| error.to_string())?;
            self.frames.push(&part);
            let released = self.body.flow_control().release_capacity(part.len());
            released.map_err(|error| error.to_string())?;
        }
    }
}

/// What goes to the node.
struct Mouth {
    out: SendStream<Bytes>,
    /// A message is sent in part.
    is_within: bool,
    /// How long the node may take nothing.
    taken: Duration,
}

impl Mouth {
    async fn say<T: Serialize>(&mut self, message: &T) -> Result<(), Ended> {
        // Some messages hold keys: their bytes are wiped when the last of them is sent.
        let bytes = Zeroizing::new(frame::encode(message).map_err(|error| chain(&error))?);
        self.is_within = true;
        send(&mut self.out, Bytes::from_owner(bytes), false, self.taken).await?;
        self.is_within = false;
        Ok(())
    }

    /// The last word: why.
    async fn last(mut self, error: Ended) {
        if self.is_within {
            return self.out.send_reset(h2::Reason::CANCEL);
        }
        let Ok(bytes) = frame::encode(&Down::Refused { error }) else { return };
        if send(&mut self.out, bytes.into(), true, self.taken).await.is_err() {
            self.out.send_reset(h2::Reason::CANCEL);
        }
    }
}

//! One stream with a node: what it says goes to its session and to whom it concerns, what is due is sent. Both ways at
//! once, so that neither side waits for the other to read.

use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::call::{refuse, send};
use super::error::{Refused, whole};
use super::fleet::Fleet;
use super::limits::{REQUEST_WITHIN, SILENCE_MAX, UP_BYTES_MAX};
use super::seat::Seat;
use super::session::Due;
use crate::model::sync::{Certificate, Down, Frames, KeyText, Status, Up, frame};
use crate::model::{Mono, Wall};
use crate::secret::hex;
use crate::tls::Peer;

/// Why a stream ended.
type Ended = String;

/// Serves one stream to its end.
pub async fn serve(fleet: Arc<Fleet>, peer: Peer, body: RecvStream, mut respond: SendResponse<Bytes>) {
    let mut ear = Ear { body, frames: Frames::bounded(UP_BYTES_MAX) };
    let seat = match greeted(&fleet, &peer, &mut ear).await {
        Ok(seat) => seat,
        Err(refused) => return refuse(&mut respond, refused, Some(&peer)).await,
    };
    let opened = Response::builder().status(StatusCode::OK).body(());
    if let Ok(opened) = opened
        && let Ok(out) = respond.send_response(opened, false)
    {
        tracing::info!(node = %seat.node, software = seat.software, "a node is connected");
        let mut mouth = Mouth { out, is_within: false };
        let ended = tokio::select! {
            ended = seat.ended() => ended,
            ended = hear(&fleet, &seat, &mut ear) => ended,
            ended = speak(&fleet, &seat, &mut mouth) => ended,
        };
        tracing::info!(node = %seat.node, why = ended, "the stream with a node has ended");
        mouth.last(ended).await;
    }
    fleet.leave(&seat);
}

async fn greeted(fleet: &Fleet, peer: &Peer, ear: &mut Ear) -> Result<Arc<Seat>, Refused> {
    let bad = |sentence: String| Refused::new(StatusCode::BAD_REQUEST, sentence);
    match timeout(REQUEST_WITHIN, ear.next::<Up>()).await {
        Ok(Ok(Up::Hello(hello))) => fleet.seat(peer.clone(), &hello, Wall::now()).await,
        Ok(Ok(_)) => Err(bad("a stream begins with a hello".to_owned())),
        Ok(Err(ended)) => Err(bad(ended)),
        Err(_late) => {
            let within = REQUEST_WITHIN.as_secs();
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, format!("no hello came within {within} s")))
        }
    }
}

/// Takes what the node says, until it says no more.
async fn hear(fleet: &Fleet, seat: &Arc<Seat>, ear: &mut Ear) -> Ended {
    loop {
        let up = match timeout(SILENCE_MAX, ear.next::<Up>()).await {
            Ok(Ok(up)) => up,
            Ok(Err(ended)) => return ended,
            Err(_late) => return format!("the node was silent for {} s", SILENCE_MAX.as_secs()),
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
            up => {
                if let Up::Refused { generation, why } = &up {
                    tracing::error!(node = %seat.node, generation, why, "a node refuses what it is to serve");
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

/// Sends what is due, for ever.
async fn speak(fleet: &Fleet, seat: &Arc<Seat>, mouth: &mut Mouth) -> Ended {
    loop {
        let due = seat.session().due(fleet.go(), Mono::now());
        let said = match due {
            Some(Due::Document { target, base }) => {
                mouth.say(&target.message(base.as_deref(), &seat.node, &fleet.authority)).await
            }
            Some(Due::Activate { generation }) => mouth.say(&Down::Activate { generation }).await,
            Some(Due::Certificate(fingerprint)) => match certificate(fleet, &fingerprint).await {
                Ok(certificate) => mouth.say(&Down::Certificate(certificate)).await,
                Err(why) => {
                    tracing::error!(node = %seat.node, fingerprint, why, "a node lacks a certificate");
                    seat.session().lacks(why, Mono::now());
                    fleet.settled(seat);
                    Ok(())
                }
            },
            None => {
                tokio::select! {
                    () = seat.wake.notified() => {}
                    // What was refused is tried again some time.
                    () = sleep(SILENCE_MAX) => {}
                }
                Ok(())
            }
        };
        if let Err(ended) = said {
            return ended;
        }
    }
}

async fn certificate(fleet: &Fleet, fingerprint: &str) -> Result<Certificate, String> {
    let bytes = hex::decode(fingerprint).and_then(|bytes| bytes.try_into().ok());
    let bytes: [u8; 32] = bytes.ok_or_else(|| format!("{fingerprint} is no fingerprint"))?;
    let (chain, key) = fleet.ledger.certificate(&bytes).await.map_err(|error| whole(&error))?;
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
            if let Some(message) = self.frames.next().map_err(|error| whole(&error))? {
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
}

impl Mouth {
    async fn say<T: Serialize>(&mut self, message: &T) -> Result<(), Ended> {
        // Some messages hold keys: their bytes are wiped when the last of them is sent.
        let bytes = Zeroizing::new(frame::encode(message).map_err(|error| whole(&error))?);
        self.is_within = true;
        send(&mut self.out, Bytes::from_owner(bytes), false).await?;
        self.is_within = false;
        Ok(())
    }

    /// The last word: why.
    async fn last(mut self, error: Ended) {
        if self.is_within {
            return self.out.send_reset(h2::Reason::CANCEL);
        }
        let Ok(bytes) = frame::encode(&Down::Refused { error }) else { return };
        if send(&mut self.out, bytes.into(), true).await.is_err() {
            self.out.send_reset(h2::Reason::CANCEL);
        }
    }
}

//! Keeps a stream with control open, for ever: connects, speaks, waits a little, connects again.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::super::NodeError;
use super::super::error::chain;
use super::super::reload::Reloader;
use super::super::shelf::Shelf;
use super::super::standing::Standing;
use super::super::usage::Used;
use super::call::{self, CallError, Line};
use super::session::Session;
use crate::config::ControlSettings;
use crate::model::Mono;
use crate::model::sync::{Down, FrameError, Frames, SYNC_PATH, Up, frame};
use crate::tls::TlsError;
use crate::tls::fleet::FleetConnector;

/// Between two attempts: nodes of a fleet do not come back all at once.
const AGAIN_MIN_MS: u64 = 200;
const AGAIN_MAX_MS: u64 = 2000;
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("read the authority's certificate")]
    Authority(#[source] std::io::Error),
    #[error("set up TLS with control")]
    Tls(#[from] TlsError),
    #[error("understand control")]
    Frame(#[from] FrameError),
    #[error("control ended the stream")]
    Ended,
    #[error("control ended the stream: {0}")]
    Refused(String),
}

/// # Errors
/// The shelf cannot be read.
pub(in super::super) fn session(
    standing: Rc<Standing>,
    reloader: Rc<Reloader>,
) -> Result<Session, NodeError> {
    let shelf = Arc::new(Shelf::open(&standing.settings.borrow().state_dir)?);
    let membership = shelf.membership()?;
    let (heard, staged) = Default::default();
    Ok(Session {
        standing,
        reloader,
        shelf,
        membership,
        bans_seen: 0,
        heard,
        staged,
        used: Used::new(Mono::now()),
    })
}

/// Runs until aborted. Call within a `LocalSet`.
pub(in super::super) async fn run(
    mut session: Session,
    settings: ControlSettings,
    mut uplink: mpsc::Receiver<Up>,
) {
    let mut told = String::new();
    loop {
        let Err(error) = stream(&mut session, &settings, &mut uplink, &mut told).await;
        let text = chain(&error);
        // The same words every second help nobody.
        if text != told {
            tracing::warn!(error = text, "no stream with control: served as before");
            told = text;
        }
        tokio::time::sleep(again()).await;
    }
}

fn again() -> Duration {
    let random = RandomState::new().hash_one(Mono::now().0);
    Duration::from_millis(AGAIN_MIN_MS + random % (AGAIN_MAX_MS - AGAIN_MIN_MS))
}

async fn stream(
    session: &mut Session,
    settings: &ControlSettings,
    uplink: &mut mpsc::Receiver<Up>,
    told: &mut String,
) -> Result<std::convert::Infallible, StreamError> {
    let member = &session.membership;
    let authority = match &settings.ca {
        Some(path) => std::fs::read(path).map_err(StreamError::Authority)?,
        None => member.authority.clone().into_bytes(),
    };
    let key = member.key.expose().as_bytes();
    let connector = FleetConnector::member(&authority, member.certificate.as_bytes(), key)?;
    let mut line = Line::open(&connector, &settings.host, settings.port).await?;
    let (response, mut up) = line.post(SYNC_PATH).await?;
    let hello = session.hello();
    call::send(&mut up, frame::encode(&hello)?.into(), false).await?;
    let accepted = tokio::time::timeout(call::WITHIN, call::accepted(response)).await;
    let mut body = accepted.map_err(|_late| CallError::Late)??;
    tracing::info!("stream with control is open");
    told.clear();
    let (mut frames, mut ticks) = (Frames::default(), tokio::time::interval(STATUS_EVERY));
    loop {
        let said = tokio::select! {
            bytes = call::next(&mut body) => {
                frames.push(&bytes?.ok_or(StreamError::Ended)?);
                while let Some(down) = frames.next::<Down>()? {
                    if let Down::Refused { error } = down {
                        return Err(StreamError::Refused(error));
                    }
                    if let Some(answer) = session.hear(down).await {
                        call::send(&mut up, frame::encode(&answer)?.into(), false).await?;
                    }
                }
                continue;
            }
            Some(said) = uplink.recv() => said,
            _ = ticks.tick() => session.status(),
        };
        call::send(&mut up, frame::encode(&said)?.into(), false).await?;
    }
}

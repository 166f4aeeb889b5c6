//! One stream with control, from greeting to its end: three conversations at once, so that a ban does not wait for a
//! document to be put in place.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::super::shelf::{ShelfError, Signed};
use super::super::standing::{Phase, Standing};
use super::super::usage::Used;
use super::Told;
use super::bans::Heard;
use super::call::{self, CallError, Line};
use super::client::Client;
use super::documents::{Documents, served};
use super::pace::Pace;
use super::told::Unheard;
use crate::model::Mono;
use crate::model::sync::{Down, FrameError, Frames, Greeting, SYNC_PATH, Status, Up, VERSION, frame};
use crate::tls::TlsError;

const STATUS_EVERY: Duration = Duration::from_secs(1);
/// Status messages before what was told on an earlier stream is said again: control says first what became of it.
const AGAIN_AFTER: u32 = 2;
/// Messages about documents waiting while one is worked at: certificates of some KB, or one snapshot.
const WAITING_MAX: usize = 64;

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("read the authority's certificate")]
    Authority(#[source] io::Error),
    #[error("find out who this node is")]
    Shelf(#[from] ShelfError),
    #[error("set up TLS with control")]
    Tls(#[from] TlsError),
    #[error("understand control")]
    Frame(#[from] FrameError),
    #[error("control ended the stream")]
    Ended,
    #[error("control ended the stream: {0}")]
    Refused(String),
}

type Never = std::convert::Infallible;

/// Speaks until something breaks. `told`: what was said of broken streams, forgotten once one is open.
pub async fn speak(
    client: &mut Client,
    line: &Line,
    uplink: &mut mpsc::Receiver<Told>,
    told: &mut String,
) -> StreamError {
    let Client { standing, documents, bans, unheard, used, .. } = client;
    let ended = async {
        let (mut body, mut up) = greet(line, standing, bans).await?;
        tracing::info!("stream with control is open");
        told.clear();
        standing.connected(None);
        let (to_documents, about_documents) = mpsc::channel(WAITING_MAX);
        let (to_say, answers) = mpsc::channel(WAITING_MAX);
        let hear = hear(&mut body, standing, (bans, unheard), to_documents);
        let work = work(documents, (standing, bans), about_documents, to_say);
        let say = say(&mut up, standing, (unheard, used), answers, uplink);
        tokio::try_join!(hear, work, say).map(|(never, ..)| never)
    };
    let error = match ended.await {
        Err(error) => error,
        Ok(never) => match never {},
    };
    // What was heard last.
    standing.enforcer.borrow_mut().publish();
    match error {
        StreamError::Call(error) => StreamError::Call(line.explain(error)),
        error => error,
    }
}

async fn greet(
    line: &Line,
    standing: &Standing,
    bans: &RefCell<Heard>,
) -> Result<(RecvStream, SendStream<Bytes>), StreamError> {
    let hello = hello(standing, bans.borrow_mut().begin());
    let greeted = async {
        let (response, mut up) = line.post(SYNC_PATH).await?;
        // A refusal may come before all is sent.
        let sent = send(&mut up, &hello).await;
        let body = call::accepted(response).await?;
        sent.map(|()| (body, up))
    };
    timeout(call::WITHIN, greeted).await.map_err(|_late| CallError::Late)?
}

fn hello(standing: &Standing, bans_seen: u64) -> Up {
    let served = standing.document.borrow().clone();
    Up::Hello(Greeting {
        version: VERSION,
        node: standing.settings.borrow().name.to_string(),
        generation: served.as_ref().map_or(0, |signed| signed.generation),
        hash: served.map_or_else(String::new, |signed| signed.hash()),
        bans_seen,
        software: concat!("waf ", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

/// Bans at once; what concerns documents goes on.
async fn hear(
    body: &mut RecvStream,
    standing: &Standing,
    (bans, unheard): (&RefCell<Heard>, &RefCell<Unheard>),
    documents: mpsc::Sender<Down>,
) -> Result<Never, StreamError> {
    let mut frames = Frames::default();
    let mut lists = ListsDue::default();
    loop {
        let bytes = match lists.left(Mono::now()) {
            None => call::next(body).await?,
            Some(left) => match timeout(left, call::next(body)).await {
                Ok(bytes) => bytes?,
                Err(_due) => {
                    lists.make(standing);
                    continue;
                }
            },
        };
        frames.push(&bytes.ok_or(StreamError::Ended)?);
        while let Some(down) = frames.next::<Down>()? {
            let said = match down {
                Down::Bans(said) => said,
                Down::Refused { error } => return Err(StreamError::Refused(error)),
                down => {
                    // The other end lives as long as this.
                    let _ = documents.send(down).await;
                    continue;
                }
            };
            unheard.borrow_mut().hear(&said);
            bans.borrow_mut().take(said, &mut standing.enforcer.borrow_mut(), Mono::now());
            lists.are_old = true;
        }
        if lists.are_old && !bans.borrow().is_under_way() && lists.pace.due(Mono::now()) <= Mono::now() {
            lists.make(standing);
        }
        // Of a long list one message is always there already: what is to be said waits for none of them.
        tokio::task::yield_now().await;
    }
}

/// The workers' lists behind what was heard: made anew once for all that came together.
#[derive(Default)]
struct ListsDue {
    are_old: bool,
    pace: Pace,
}

impl ListsDue {
    /// How long they may stay as they are; for ever where they are not old.
    fn left(&self, now: Mono) -> Option<Duration> {
        self.are_old.then(|| Duration::from_nanos(self.pace.due(now).since_ns(now)))
    }

    fn make(&mut self, standing: &Standing) {
        let began = Mono::now();
        let mut enforcer = standing.enforcer.borrow_mut();
        enforcer.publish();
        standing.metrics.bans_active(enforcer.bans().len());
        self.are_old = false;
        self.pace.made(began, Mono::now());
    }
}

async fn work(
    documents: &mut Documents,
    (standing, bans): (&Standing, &RefCell<Heard>),
    mut about: mpsc::Receiver<Down>,
    answers: mpsc::Sender<Up>,
) -> Result<Never, StreamError> {
    loop {
        let down = about.recv().await.ok_or(StreamError::Ended)?;
        let before = standing.document.borrow().clone();
        if let Some(answer) = documents.hear(down).await {
            if matches!(answer, Up::Active { .. }) {
                let has_new = has_new_tenants(before.as_deref(), standing.document.borrow().as_deref());
                bans.borrow_mut().settle(has_new, &mut standing.enforcer.borrow_mut(), Mono::now());
            }
            let _ = answers.send(answer).await;
        }
    }
}

fn has_new_tenants(before: Option<&Signed>, after: Option<&Signed>) -> bool {
    let is_new = |tenant| before.is_none_or(|before| before.document.tenant(tenant).is_none());
    after.is_some_and(|after| after.document.tenants.iter().any(|it| is_new(it.tenant)))
}

async fn say(
    up: &mut SendStream<Bytes>,
    standing: &Standing,
    (unheard, used): (&RefCell<Unheard>, &mut Used),
    mut answers: mpsc::Receiver<Up>,
    uplink: &mut mpsc::Receiver<Told>,
) -> Result<Never, StreamError> {
    let mut ticks = interval_at(tokio::time::Instant::now(), STATUS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = 0_u32;
    loop {
        tokio::select! {
            Some(answer) = answers.recv() => send(up, &answer).await?,
            Some(told) = uplink.recv() => {
                let words = unheard.borrow_mut().tell(told, Mono::now());
                if let Some(words) = words {
                    send(up, &words).await?;
                }
            }
            _ = ticks.tick() => {
                send(up, &status(standing, used)).await?;
                said = said.saturating_add(1);
                if said == AGAIN_AFTER {
                    let again = unheard.borrow_mut().again(Mono::now());
                    for words in again {
                        send(up, &words).await?;
                    }
                }
            }
        }
    }
}

fn status(standing: &Standing, used: &mut Used) -> Up {
    let (facts, enforcer) = (&standing.facts, standing.enforcer.borrow());
    let (interval_ms, usage) = used.take(enforcer.config(), standing.lasting.allowances(), Mono::now());
    Up::Status(Status {
        generation: served(standing),
        is_ready: facts.phase.get() == Phase::Serving && !facts.waits.get(),
        bans: enforcer.bans().len() as u64,
        interval_ms,
        usage,
    })
}

async fn send(up: &mut SendStream<Bytes>, said: &Up) -> Result<(), StreamError> {
    Ok(call::send(up, frame::encode(said)?.into(), false).await?)
}

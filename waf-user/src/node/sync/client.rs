//! Keeps a stream with control open, for ever: connects, speaks, waits a little, connects again.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::super::NodeError;
use super::super::reload::Reloader;
use super::super::shelf::{Membership, Shelf};
use super::super::standing::Standing;
use super::super::usage::Used;
use super::Told;
use super::bans::Heard;
use super::call::Line;
use super::documents::Documents;
use super::join;
use super::stream::{self, StreamError};
use super::told::Unheard;
use crate::config::ControlSettings;
use crate::model::{Mono, chain};
use crate::tls::MutualConnector;

/// Between two attempts: nodes of a fleet do not come back all at once.
const AGAIN_MIN_MS: u64 = 200;
const AGAIN_MAX_MS: u64 = 2000;

/// What lives from one stream to the next.
pub struct Client {
    pub(in crate::node) standing: Rc<Standing>,
    pub shelf: Arc<Shelf>,
    pub documents: Documents,
    pub bans: RefCell<Heard>,
    pub unheard: RefCell<Unheard>,
    pub used: Used,
    settings: ControlSettings,
}

impl Client {
    /// # Errors
    /// The shelf cannot be made or read.
    pub(in crate::node) fn new(
        standing: Rc<Standing>,
        reloader: Rc<Reloader>,
        settings: ControlSettings,
    ) -> Result<Self, NodeError> {
        let shelf = match standing.lasting.shelf() {
            Some(shelf) => shelf,
            None => Arc::new(Shelf::open(&standing.settings.borrow().state_dir)?),
        };
        let documents = Documents::new(Rc::clone(&standing), reloader, Arc::clone(&shelf));
        let (bans, unheard) = Default::default();
        Ok(Self { standing, shelf, documents, bans, unheard, used: Used::new(Mono::now()), settings })
    }

    /// Runs until aborted. Call within a `LocalSet`.
    pub async fn run(mut self, mut uplink: mpsc::Receiver<Told>) {
        let mut told = String::new();
        loop {
            let ended = self.once(&mut uplink, &mut told).await;
            match ended {
                Ended::Renewed => continue,
                Ended::Broken(error) => {
                    let text = chain(&error);
                    self.standing.connected(Some(&text));
                    // The same words every second help nobody.
                    if text != told {
                        tracing::warn!(error = text, "no stream with control: served as before");
                        told = text;
                    }
                }
            }
            tokio::time::sleep(again()).await;
        }
    }

    /// One connection, with its stream and the renewal of the certificate that it was made with.
    async fn once(&mut self, uplink: &mut mpsc::Receiver<Told>, told: &mut String) -> Ended {
        let (member, line) = match self.connect().await {
            Ok(connected) => connected,
            Err(error) => return Ended::Broken(error),
        };
        let node = self.standing.settings.borrow().name.to_string();
        let shelf = Arc::clone(&self.shelf);
        self.documents.begin(&member.fleet_key).await;
        tokio::select! {
            error = stream::speak(self, &line, uplink, told) => Ended::Broken(error),
            error = line.silence() => Ended::Broken(error.into()),
            () = join::renew(&line, &shelf, &member, &node) => Ended::Renewed,
        }
    }

    /// With what is on disk now: the node may have joined anew while it ran.
    async fn connect(&self) -> Result<(Membership, Line), StreamError> {
        let member = self.shelf.membership()?;
        let authority = match &self.settings.ca {
            Some(path) => std::fs::read(path).map_err(StreamError::Authority)?,
            None => member.authority.clone().into_bytes(),
        };
        let connector = MutualConnector::new(&authority, &member.identity)?;
        if let Ok((_, ends)) = member.identity.validity() {
            self.standing.metrics.certificate_ends(ends);
        }
        let line = Line::open(&connector, &self.settings.host, self.settings.port).await?;
        Ok((member, line))
    }
}

enum Ended {
    /// To connect anew with the newer certificate.
    Renewed,
    Broken(StreamError),
}

fn again() -> Duration {
    let random = RandomState::new().hash_one(Mono::now().0);
    Duration::from_millis(AGAIN_MIN_MS + random % (AGAIN_MAX_MS - AGAIN_MIN_MS))
}

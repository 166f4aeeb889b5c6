//! Life of a control process: settings -> store, keys, authority, ledger, bans -> the API over TLS and the nodes' listener,
//! until it is told to end. What is served there is not known here.

mod first;
mod identity;
mod import;
mod listener;
mod store;

mod error;

pub use error::ServeError;
pub use first::{AUTHORITY, OPERATOR_TOKEN};
pub use import::{Imported, import};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::api::{Api, Clocks};
use super::authority::Authority;
use super::bans::BanBook;
use super::ledger::Ledger;
use super::settings::ControlSettings;
use super::sync::Fleet;
use super::token::TokenBook;
use crate::model::{Mono, Wall};
use crate::tls::PlainAcceptor;

/// How often the API's certificate is made or read anew, and what the authority no longer needs is forgotten.
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// One control process, all of it open and bound, and nothing served yet.
pub struct Control {
    settings: ControlSettings,
    authority: Arc<Authority>,
    fleet: Arc<Fleet>,
    api: Api,
    tcp: TcpListener,
    sync: Option<TcpListener>,
    acceptor: watch::Sender<PlainAcceptor>,
}

/// Serves until SIGTERM or SIGINT; SIGHUP reads the API's certificate anew.
///
/// # Errors
/// See [`ServeError`]; nothing is served after one.
pub fn run(settings: ControlSettings) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Runtime::new().map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        let (told, end) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
        let control = Control::open(settings).await?;
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            told.send_replace(true);
        });
        control.serve(end).await
    })
}

impl Control {
    /// Opens everything and binds, in an order that lets nothing half-open behind.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn open(settings: ControlSettings) -> Result<Self, ServeError> {
        let now = Wall::now();
        first::data_dir(&settings)?;
        let store = store::open(&settings).await?;
        let keys = Arc::new(first::keys(&settings, &*store).await?);
        // Before the authority: it refuses a store that is being imported into.
        let ledger = Ledger::open(Arc::clone(&store), Arc::clone(&keys), settings.zone.clone()).await?;
        let authority = Arc::new(Authority::open(Arc::clone(&store), &keys, now).await?);
        let bans = BanBook::open(Arc::clone(&store)).await?;
        let tokens = TokenBook::new(Arc::clone(&store));
        first::authority(&settings, &authority)?;
        first::operator_token(&settings, &tokens, now).await?;
        let (acceptor, _) = watch::channel(identity::acceptor(&settings.api, &authority, now)?);
        let tcp = bind("api", settings.api.listen).await?;
        let sync = match settings.sync {
            Some(address) => Some(bind("sync", address).await?),
            None => None,
        };
        let fleet =
            Fleet::new(Arc::clone(&store), Arc::clone(&ledger), Arc::clone(&authority), Arc::clone(&bans));
        let clocks = Clocks { clock: Wall::now, uptime: Mono::now };
        let api = Api::new(store, ledger, bans, Arc::clone(&authority), Arc::clone(&fleet), clocks);
        Ok(Self { settings, authority, fleet, api, tcp, sync, acceptor })
    }

    /// Where the API is served, with the port that was found where none was named.
    ///
    /// # Errors
    /// The system's.
    pub fn api_address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Where nodes are served, if they are.
    ///
    /// # Errors
    /// The system's.
    pub fn sync_address(&self) -> std::io::Result<Option<SocketAddr>> {
        self.sync.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves until `end` holds true, then finishes what is under way.
    ///
    /// # Errors
    /// The system gives no signals, or the nodes' listener cannot be set up.
    pub async fn serve(self, end: watch::Receiver<bool>) -> Result<(), ServeError> {
        let Self { settings, authority, fleet, api, tcp, sync, acceptor } = self;
        let hangups = signal(SignalKind::hangup()).map_err(ServeError::Signals)?;
        let latest = acceptor.subscribe();
        let daily = tokio::spawn(daily(settings.clone(), authority, acceptor, hangups));
        tracing::info!(
            api = address(Some(&tcp)), sync = address(sync.as_ref()), zone = %settings.zone,
            data_dir = %settings.data_dir.display(), "control is ready"
        );
        let nodes = async {
            match sync {
                Some(sync) => fleet.serve(sync, told(end.clone())).await,
                None => Ok(()),
            }
        };
        let people = async {
            listener::serve(tcp, latest, api.router(), end.clone()).await;
            Ok(())
        };
        let ended = tokio::try_join!(nodes, people);
        daily.abort();
        ended?;
        tracing::info!("control stopped");
        Ok(())
    }
}

fn address(listener: Option<&TcpListener>) -> String {
    let address = listener.and_then(|listener| listener.local_addr().ok());
    address.map_or_else(|| "none".to_owned(), |address| address.to_string())
}

/// Until it is time to end; at once where nobody is left to tell.
async fn told(mut end: watch::Receiver<bool>) {
    let _is_told_or_nobody_left = end.wait_for(|end| *end).await;
}

async fn bind(table: &'static str, address: SocketAddr) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| ServeError::Listen { table, address, source })
}

/// What is to be done every day, or when a signal says that the files of the certificate are new.
async fn daily(
    settings: ControlSettings,
    authority: Arc<Authority>,
    acceptor: watch::Sender<PlainAcceptor>,
    mut hangups: tokio::signal::unix::Signal,
) {
    loop {
        let is_told = tokio::time::timeout(DAILY, hangups.recv()).await.is_ok();
        match identity::acceptor(&settings.api, &authority, Wall::now()) {
            Ok(anew) => {
                acceptor.send_replace(anew);
                tracing::info!("the API's certificate is taken anew");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the API keeps its certificate: the new one cannot be used");
            }
        }
        if is_told {
            continue;
        }
        if let Err(error) = authority.sweep(Wall::now()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "ended certificates are not forgotten");
        }
    }
}

#[cfg(test)]
mod tests;

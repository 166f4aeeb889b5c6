//! Why `waf control` does not serve, with what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::control::authority::AuthorityError;
use crate::control::bans::BanError;
use crate::control::export::ExportError;
use crate::control::ledger::LedgerError;
use crate::control::store::StoreError;
use crate::control::sync::SyncError;
use crate::control::token::TokenError;
use crate::secret::SecretError;
use crate::tls::TlsError;

/// What was being done when it could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("make the data directory {}", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    #[error("write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} can be read by others: chmod 600 it", path.display())]
    Open { path: PathBuf },
    #[error("[store] etcd is set, but this waf was built without it: build it with `--features etcd`")]
    WithoutEtcd,
    #[error("open the keys of secrets")]
    Secret(#[from] SecretError),
    #[error("open the store")]
    Store(#[from] StoreError),
    #[error("open the ledger")]
    Ledger(#[from] LedgerError),
    #[error("open the fleet's authority")]
    Authority(#[from] AuthorityError),
    #[error("open the bans")]
    Bans(#[from] BanError),
    #[error("make the first operator's token")]
    Token(#[from] TokenError),
    #[error("use the certificate of the API")]
    Certificate(#[from] TlsError),
    #[error("[{table}] listen on {address} (does something else listen there?)")]
    Listen { table: &'static str, address: SocketAddr, source: io::Error },
    #[error("serve the nodes")]
    Sync(#[from] SyncError),
    #[error("import {}", path.display())]
    Import { path: PathBuf, source: ExportError },
    #[error("listen to signals")]
    Signals(#[source] io::Error),
    #[error("start a runtime")]
    Runtime(#[source] io::Error),
}

//! Where etcd is and how we show who we are -> a client.

use std::time::Duration;

use etcd_client::{Certificate, Client, ConnectOptions, Identity, TlsOptions};

use crate::secret::Secret;

/// How long a member may take to be connected to.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long one call may take: a little more than etcd itself gives it (5 s and two elections).
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// How often a silent connection is asked whether it lives; etcd refuses more than one in five seconds.
const PING_EVERY: Duration = Duration::from_secs(10);
const PONG_WITHIN: Duration = Duration::from_secs(3);

/// How etcd is reached.
#[derive(Debug)]
pub struct EtcdSettings {
    /// `https://etcd-1.example:2379`, of some or all members.
    pub endpoints: Vec<String>,
    /// Before all our keys, for an etcd that others use too; such as `waf/`.
    pub root: String,
    /// PEM text of who signed the members' certificates; for `https`.
    pub authority_pem: Option<Vec<u8>>,
    pub identity: Option<EtcdIdentity>,
    pub user: Option<EtcdUser>,
}

/// Our certificate, for an etcd that asks for one.
#[derive(Debug)]
pub struct EtcdIdentity {
    pub chain_pem: Vec<u8>,
    pub key_pem: Secret<Vec<u8>>,
}

/// Our name and password, for an etcd with users.
#[derive(Debug)]
pub struct EtcdUser {
    pub name: String,
    pub password: Secret<String>,
}

/// Connects when it is first used.
pub async fn client(settings: &EtcdSettings) -> Result<Client, etcd_client::Error> {
    let mut options = ConnectOptions::new()
        .with_connect_timeout(CONNECT_WITHIN)
        .with_timeout(ANSWER_WITHIN)
        .with_keep_alive(PING_EVERY, PONG_WITHIN)
        .with_keep_alive_while_idle(true)
        .with_require_leader(true);
    if settings.authority_pem.is_some() || settings.identity.is_some() {
        let mut tls = TlsOptions::new();
        if let Some(pem) = &settings.authority_pem {
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        if let Some(EtcdIdentity { chain_pem, key_pem }) = &settings.identity {
            tls = tls.identity(Identity::from_pem(chain_pem, key_pem.expose()));
        }
        options = options.with_tls(tls);
    }
    if let Some(EtcdUser { name, password }) = &settings.user {
        options = options.with_user(name, password.expose()).with_auto_token_refresh(true);
    }
    Client::connect(&settings.endpoints, Some(options)).await
}

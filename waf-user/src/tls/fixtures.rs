//! Certificates and connections for tests of this module and of those that use it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};

use super::{Acceptor, Connector, Identity, Shown};
use crate::model::Fqdn;

/// A root of our own.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// PEM texts of a certificate for names or addresses, and of its key.
    pub fn issue(&self, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    pub fn identity(&self, names: &[&str]) -> Identity {
        let (certificate, key) = self.issue(names);
        Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    /// Trusts this root alone.
    pub fn connector(&self) -> Connector {
        Connector::with_roots(self.pem.as_bytes()).unwrap()
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }
}

/// Shows one identity to who asks for its name at 127.0.0.1.
pub fn on_loopback(name: &str, identity: Identity) -> Arc<Acceptor> {
    let (fqdn, addresses) = (Fqdn::new(name).unwrap(), vec![IpAddr::from(Ipv4Addr::LOCALHOST)]);
    Acceptor::new(vec![Shown { fqdn, addresses, identity }]).unwrap()
}

/// Both ends of a TCP connection on loopback: (client, server).
pub async fn pair() -> (TcpStream, TcpStream) {
    pair_at("127.0.0.1").await
}

/// Both ends of a TCP connection to an address of loopback: (client, server).
pub async fn pair_at(address: &str) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

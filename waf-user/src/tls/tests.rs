//! What peers of good and of bad will get from a handshake.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{AlertDescription, ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::fixtures::{Authority, pair, pair_at};
use super::{ALPN, Acceptor, HandshakeError, Identity, Shown, TlsError, TlsStream, provider};
use crate::config::origin_url::OriginHost;
use crate::model::Fqdn;

/// Far beyond what a handshake takes here; never waited for in full.
const LONG: Duration = Duration::from_secs(20);
/// Waited for in full by the tests of silent peers.
const SHORT: Duration = Duration::from_millis(80);

fn fqdn(name: &str) -> Fqdn {
    Fqdn::new(name).unwrap()
}

fn host(name: &str) -> OriginHost {
    name.parse().map_or_else(|_| OriginHost::Name(fqdn(name)), OriginHost::Address)
}

fn shown(name: &str, address: &str, identity: Identity) -> Shown {
    Shown { fqdn: fqdn(name), addresses: vec![address.parse().unwrap()], identity }
}

/// An acceptor for one.example and two.example.
fn acceptor(authority: &Authority) -> Arc<Acceptor> {
    let names = ["one.example", "two.example"];
    Acceptor::new(names.map(|name| shown(name, "127.0.0.1", authority.identity(&[name]))).into()).unwrap()
}

async fn serve(acceptor: &Acceptor, stream: TcpStream) -> Result<TlsStream, HandshakeError> {
    acceptor.hello(stream, LONG).await?.accept(LONG).await
}

/// A client of raw rustls, for what `Connector` does not offer.
fn client_config(
    authority: &Authority,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[test]
fn identities_are_checked() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue(&["one.example"]);
    let (other_certificate, other_key) = authority.issue(&["two.example"]);
    let chain = format!("{certificate}{}", authority.pem());
    let long = certificate.repeat(11);
    let torn = certificate.replace("-----END CERTIFICATE-----", "");
    let no_base64 = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key_no_der = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    type Expected = fn(&Result<Identity, TlsError>) -> bool;
    let rows: [(&str, &str, &str, Expected); 12] = [
        ("good", &certificate, &key, |r| r.is_ok()),
        ("with its chain", &chain, &key, |r| r.is_ok()),
        ("ten certificates", &certificate.repeat(10), &key, |r| r.is_ok()),
        ("eleven certificates", &long, &key, |r| matches!(r, Err(TlsError::ChainLength))),
        ("empty", "", &key, |r| matches!(r, Err(TlsError::NoCertificate))),
        ("files exchanged", &key, &certificate, |r| matches!(r, Err(TlsError::NoCertificate))),
        ("no key", &certificate, &certificate, |r| matches!(r, Err(TlsError::NoKey))),
        ("another's key", &certificate, &other_key, |r| matches!(r, Err(TlsError::KeyMismatch))),
        ("another's certificate", &other_certificate, &key, |r| matches!(r, Err(TlsError::KeyMismatch))),
        ("no end line", &torn, &key, |r| matches!(r, Err(TlsError::CertificatePem { .. }))),
        ("no DER", no_der, &key, |r| matches!(r, Err(TlsError::Certificate { .. }))),
        ("key no DER", &certificate, key_no_der, |r| matches!(r, Err(TlsError::KeyKind { .. }))),
    ];
    for (name, certificate, key, expected) in rows {
        let result = Identity::from_pem(certificate.as_bytes(), key.as_bytes());
        assert!(expected(&result), "{name}: {result:?}");
    }
    assert!(Identity::from_pem(no_base64.as_bytes(), key.as_bytes()).is_err());
    assert!(!format!("{:?}", authority.identity(&["one.example"])).contains("BEGIN"));
}

#[test]
fn identity_covers_its_names() {
    let identity = Authority::new().identity(&["one.example", "*.two.example"]);
    let rows = [
        ("one.example", true),
        ("www.one.example", false),
        ("www.two.example", true),
        ("two.example", false),
        ("a.www.two.example", false),
        ("three.example", false),
    ];
    for (name, expected) in rows {
        assert_eq!(identity.covers(&fqdn(name)), expected, "{name}");
    }
}

#[test]
fn acceptor_refuses_a_name_twice_at_an_address() {
    let authority = Authority::new();
    let of = |name: &str, address| shown(name, address, authority.identity(&[name]));
    let twice = Acceptor::new(vec![of("one.example", "10.1.0.10"), of("ONE.example", "::ffff:10.1.0.10")]);
    assert!(matches!(twice, Err(TlsError::Duplicate { fqdn: name, .. }) if name == fqdn("one.example")));
    let moving = vec![of("one.example", "10.1.0.10"), of("one.example", "10.1.0.11")];
    let acceptor = Acceptor::new(moving).unwrap();
    for (name, address, expected) in [
        ("one.example", "10.1.0.10", true),
        ("one.example", "::ffff:10.1.0.11", true),
        ("one.example", "10.1.0.12", false),
        ("two.example", "10.1.0.10", false),
    ] {
        assert_eq!(acceptor.serves(name, address.parse().unwrap()), expected, "{name} at {address}");
    }
    assert!(!Acceptor::new(Vec::new()).unwrap().serves("one.example", "10.1.0.10".parse().unwrap()));
}

#[tokio::test]
async fn contract_while_a_site_moves_both_environments_serve() {
    let (old, new) = (Authority::new(), Authority::new());
    let name = "one.example";
    let acceptor = Acceptor::new(vec![
        shown(name, "127.0.0.1", old.identity(&[name])),
        shown(name, "127.0.0.2", new.identity(&[name])),
    ]);
    let acceptor = acceptor.unwrap();
    for (address, trusted, other) in [("127.0.0.1", &old, &new), ("127.0.0.2", &new, &old)] {
        for (authority, expected) in [(trusted, true), (other, false)] {
            let (client, server) = pair_at(address).await;
            let (connector, host) = (authority.connector(), host(name));
            let (client, _server) =
                tokio::join!(connector.connect(client, &host, LONG), serve(&acceptor, server));
            assert_eq!(client.is_ok(), expected, "{address}: {client:?}");
        }
    }
}

#[tokio::test]
async fn each_name_gets_its_certificate() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    for name in ["one.example", "two.example", "TWO.example"] {
        let (client, server) = pair().await;
        let (connector, host) = (authority.connector(), host(name));
        let (client, server) = tokio::join!(connector.connect(client, &host, LONG), serve(&acceptor, server));
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        assert_eq!((client.version(), server.version()), ("TLSv1.3", "TLSv1.3"));
        client.write_all(b"ping").await.unwrap();
        client.shutdown().await.unwrap();
        let mut got = Vec::new();
        server.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"ping", "{name}");
    }
}

#[tokio::test]
async fn unknown_names_learn_no_certificate() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    for (name, sni) in [
        ("three.example", Some("three.example")),
        ("www.one.example", Some("www.one.example")),
        ("127.0.0.1", None),
    ] {
        let (client, server) = pair().await;
        let (connector, host) = (authority.connector(), host(name));
        let refuse = async {
            let hello = acceptor.hello(server, LONG).await.unwrap();
            assert_eq!(hello.sni(), sni);
            hello.accept(LONG).await
        };
        let (client, server) = tokio::join!(connector.connect(client, &host, LONG), refuse);
        assert!(matches!(server, Err(HandshakeError::UnrecognizedName)), "{name}: {server:?}");
        assert!(
            matches!(
                &client,
                Err(HandshakeError::Failed {
                    source: rustls::Error::AlertReceived(AlertDescription::UnrecognisedName)
                })
            ),
            "{name}: {client:?}"
        );
    }
}

#[tokio::test]
async fn a_served_name_can_be_refused_on_this_address() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    let (mut client, server) = pair().await;
    client.write_all(&client_hello(&authority)).await.unwrap();
    let hello = acceptor.hello(server, LONG).await.unwrap();
    assert_eq!(hello.sni(), Some("one.example"));
    hello.refuse_unrecognized_name().await;
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, [0x15, 3, 3, 0, 2, 2, 112]);
}

#[tokio::test]
async fn versions_and_protocols() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    type Row = (&'static str, &'static rustls::SupportedProtocolVersion, &'static [&'static [u8]], bool);
    let rows: [Row; 5] = [
        ("TLS 1.2", &rustls::version::TLS12, &[], true),
        ("TLS 1.3", &rustls::version::TLS13, &[], true),
        ("http/1.1", &rustls::version::TLS13, &[b"http/1.1"], true),
        ("h2 or http/1.1", &rustls::version::TLS13, &[b"h2", b"http/1.1"], true),
        ("h2 only", &rustls::version::TLS13, &[b"h2"], false),
    ];
    for (name, version, alpn, expected) in rows {
        let mut config = client_config(&authority, &[version]);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let (client, server) = pair().await;
        let connect = TlsConnector::from(Arc::new(config));
        let server_name = ServerName::try_from("one.example").unwrap();
        let (client, server) = tokio::join!(connect.connect(server_name, client), serve(&acceptor, server));
        assert_eq!((client.is_ok(), server.is_ok()), (expected, expected), "{name}: {server:?}");
        if let (Ok(client), false) = (client, alpn.is_empty()) {
            assert_eq!(client.get_ref().1.alpn_protocol(), Some(ALPN), "{name}");
        }
    }
}

#[tokio::test]
async fn sessions_resume_and_early_data_is_off() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    assert_eq!(acceptor.config("one.example", Ipv4Addr::LOCALHOST.into()).unwrap().max_early_data_size, 0);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = Arc::new(client_config(&authority, &[version]));
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (client, server) = pair().await;
            let connect = TlsConnector::from(Arc::clone(&config));
            let server_name = ServerName::try_from("one.example").unwrap();
            let (client, server) =
                tokio::join!(connect.connect(server_name, client), serve(&acceptor, server));
            let (mut client, mut server) = (client.unwrap(), server.unwrap());
            // The ticket travels with the first data.
            server.write_all(b"x").await.unwrap();
            client.read_u8().await.unwrap();
            kinds.push(client.get_ref().1.handshake_kind());
        }
        let expected = [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)];
        assert!(kinds == expected || kinds[0] == Some(HandshakeKind::FullWithHelloRetryRequest), "{kinds:?}");
        assert_eq!(kinds[1], Some(HandshakeKind::Resumed));
    }
}

/// The first flight of a true client that asks for one.example.
fn client_hello(authority: &Authority) -> Vec<u8> {
    let config = client_config(authority, rustls::ALL_VERSIONS);
    let name = ServerName::try_from("one.example").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

/// Sends bytes and closes; what the server makes of it.
async fn hello_of(acceptor: &Acceptor, bytes: &[u8]) -> Result<super::Hello, HandshakeError> {
    let (mut client, server) = pair().await;
    let send = async {
        // A server that has refused already may have closed.
        let _sent = client.write_all(bytes).await;
        let _closed = client.shutdown().await;
        client
    };
    let (hello, _client) = tokio::join!(acceptor.hello(server, LONG), send);
    hello
}

#[tokio::test]
async fn what_is_no_hello_is_named() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    let hello = client_hello(&authority);
    let rows: [(&str, &[u8], &str); 9] = [
        ("nothing", b"", "closed"),
        ("http", b"GET / HTTP/1.1\r\nHost: one.example\r\n\r\n", "not_tls"),
        ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n", "not_tls"),
        ("ff", &[0xff; 64], "not_tls"),
        ("zeros", &[0; 64], "not_tls"),
        ("half a hello", &hello[..hello.len() / 2], "closed"),
        ("application data", &[0x17, 3, 3, 0, 1, 0], "failed"),
        ("record of 65535", &[0x16, 3, 1, 0xff, 0xff, 1, 0, 0, 1], "failed"),
        ("hello of 16 MiB", &[0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff], "failed"),
    ];
    for (name, bytes, expected) in rows {
        let error = hello_of(&acceptor, bytes).await.unwrap_err();
        assert_eq!(error.label(), expected, "{name}: {error:?}");
    }
}

#[tokio::test]
async fn every_cut_of_a_hello_is_a_close() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    let hello = client_hello(&authority);
    for len in (0..hello.len()).step_by(7) {
        let error = hello_of(&acceptor, &hello[..len]).await.unwrap_err();
        assert!(matches!(error, HandshakeError::Closed), "{len}: {error:?}");
    }
    assert_eq!(hello_of(&acceptor, &hello).await.unwrap().sni(), Some("one.example"));
}

#[tokio::test]
async fn no_changed_byte_of_a_hello_harms() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    let hello = client_hello(&authority);
    for at in (0..hello.len()).step_by(3) {
        let mut bytes = hello.clone();
        bytes[at] ^= 0xa5;
        if let Ok(hello) = hello_of(&acceptor, &bytes).await {
            // The client is gone or its keys do not fit: an error, never a session.
            assert!(hello.accept(LONG).await.is_err(), "byte {at}");
        }
    }
}

#[tokio::test]
async fn silent_peers_run_out_of_time() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority);
    let hello = client_hello(&authority);
    for len in [0, 1, hello.len() / 2] {
        let (mut client, server) = pair().await;
        client.write_all(&hello[..len]).await.unwrap();
        let result = acceptor.hello(server, SHORT).await;
        assert!(matches!(result, Err(HandshakeError::Timeout)), "{len}: {result:?}");
    }
    let (mut client, server) = pair().await;
    client.write_all(&hello).await.unwrap();
    let result = acceptor.hello(server, LONG).await.unwrap().accept(SHORT).await;
    assert!(matches!(result, Err(HandshakeError::Timeout)), "{result:?}");

    let (client, _server) = pair().await;
    let result = authority.connector().connect(client, &host("one.example"), SHORT).await;
    assert!(matches!(result, Err(HandshakeError::Timeout)), "{result:?}");
}

#[tokio::test]
async fn origins_are_verified() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let rows = [
        ("its name", &authority, "one.example", "one.example", true),
        ("another name", &authority, "two.example", "one.example", false),
        ("another root", &stranger, "one.example", "one.example", false),
        ("its address", &authority, "127.0.0.1", "127.0.0.1", true),
        ("another address", &authority, "127.0.0.2", "127.0.0.1", false),
        ("a name for an address", &authority, "one.example", "127.0.0.1", false),
    ];
    for (name, issuer, certificate, wanted, expected) in rows {
        let (certificate, key) = issuer.issue(&[certificate]);
        let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity.certified)));
        let (client, server) = pair().await;
        let (connector, wanted) = (authority.connector(), host(wanted));
        let server = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(server);
        let (client, _server) = tokio::join!(connector.connect(client, &wanted, LONG), server);
        assert_eq!(client.is_ok(), expected, "{name}: {client:?}");
        if let Err(error) = client {
            assert!(matches!(error, HandshakeError::Failed { .. }), "{name}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_plain_origin_is_named() {
    let authority = Authority::new();
    let (client, mut server) = pair().await;
    server.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let result = authority.connector().connect(client, &host("one.example"), LONG).await;
    assert!(matches!(result, Err(HandshakeError::NotTls)), "{result:?}");
}

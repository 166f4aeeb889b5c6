//! Address policy, resolution and pooling, against servers on loopback.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::idle::{IdleConnection, IdleConnections};
use super::limits::{ANSWER_FRESH, ATTEMPTS_MAX, IDLE_FOR, IDLE_PER_TENANT_MAX, RETRY_AFTER};
use super::policy::{self, Forbidden};
use super::stream::{Look, OriginStream};
use super::{OriginError, Pool, Upstreams};
use crate::config::OriginUrl;
use crate::model::{Fqdn, TenantId};
use crate::telemetry::Metrics;
use crate::tls::HandshakeError;
use crate::tls::fixtures::{Authority, on_loopback, pair};

const LONG: Duration = Duration::from_secs(20);

fn tenant(id: u64) -> TenantId {
    TenantId::new(id).unwrap()
}

fn networks(list: &[&str]) -> Vec<IpNet> {
    list.iter().map(|network| network.parse().unwrap()).collect()
}

/// Upstreams that may lie on loopback.
fn upstreams(urls: &[String]) -> Upstreams {
    let origins = urls.iter().map(|url| OriginUrl::parse(url).unwrap()).collect();
    Upstreams::new(origins, networks(&["127.0.0.0/8", "::1/128"]))
}

fn pool() -> (Pool, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    (Pool::new(Arc::clone(&metrics)), metrics)
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A port on which nobody listens: bound, so nobody else takes it, but not listening.
fn deaf() -> (socket2::Socket, String) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap().as_socket().unwrap());
    (socket, url)
}

fn counted(metrics: &Metrics, result: &str) -> u64 {
    let start = format!("waf_origin_connects_total{{result=\"{result}\"}} ");
    metrics.expose().lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
}

#[test]
fn addresses_that_are_never_reached() {
    use Forbidden::{LinkLocal, Loopback, Metadata, NoHost, Own, Private};
    let open = ["10.9.0.0/16", "fd12::/16", "127.0.0.0/8", "0.0.0.0/0"];
    let rows: [(&str, &[&str], Option<Forbidden>); 52] = [
        ("192.0.2.10:80", &[], None),
        ("[2001:db8::1]:80", &[], None),
        ("9.255.255.255:80", &[], None),
        ("10.0.0.0:80", &[], Some(Private)),
        ("10.255.255.255:80", &[], Some(Private)),
        ("11.0.0.0:80", &[], None),
        ("172.15.255.255:80", &[], None),
        ("172.16.0.0:80", &[], Some(Private)),
        ("172.31.255.255:80", &[], Some(Private)),
        ("172.32.0.0:80", &[], None),
        ("192.168.0.1:80", &[], Some(Private)),
        ("192.169.0.1:80", &[], None),
        ("100.63.255.255:80", &[], None),
        ("100.64.0.0:80", &[], Some(Private)),
        ("100.127.255.255:80", &[], Some(Private)),
        ("100.128.0.0:80", &[], None),
        ("[fc00::1]:80", &[], Some(Private)),
        ("[fdff::1]:80", &[], Some(Private)),
        ("[fe00::1]:80", &[], None),
        ("[fec0::1]:80", &[], Some(Private)),
        ("10.9.1.1:80", &open[..1], None),
        ("10.10.1.1:80", &open[..1], Some(Private)),
        ("[fd12::1]:80", &open[..2], None),
        ("[fd13::1]:80", &open[..2], Some(Private)),
        ("127.0.0.1:80", &[], Some(Loopback)),
        ("127.255.255.255:80", &open[..2], Some(Loopback)),
        ("127.0.0.1:80", &open[3..], Some(Loopback)),
        ("127.0.0.1:80", &open[..3], None),
        ("127.0.0.1:80", &["127.0.0.1/32"], None),
        ("127.0.0.2:80", &["127.0.0.1/32"], Some(Loopback)),
        ("[::1]:80", &["::/0"], Some(Loopback)),
        ("[::1]:80", &["::1/128"], None),
        ("[::ffff:127.0.0.1]:80", &[], Some(Loopback)),
        ("[::ffff:10.0.0.1]:80", &[], Some(Private)),
        ("[::ffff:192.0.2.1]:80", &[], None),
        ("[::127.0.0.1]:80", &[], Some(Loopback)),
        ("[64:ff9b::10.0.0.1]:80", &[], Some(Private)),
        ("[64:ff9b::a9fe:a9fe]:80", &[], Some(Metadata)),
        ("[2002:7f00:1::1]:80", &[], Some(Loopback)),
        ("[2002:c000:201::1]:80", &[], None),
        ("0.0.0.0:80", &open, Some(NoHost)),
        ("0.1.2.3:80", &open, Some(NoHost)),
        ("[::]:80", &["::/0"], Some(NoHost)),
        ("224.0.0.1:80", &open, Some(NoHost)),
        ("240.0.0.1:80", &open, Some(NoHost)),
        ("255.255.255.255:80", &open, Some(NoHost)),
        ("[ff02::1]:80", &["::/0"], Some(NoHost)),
        ("169.254.1.1:80", &open, Some(LinkLocal)),
        ("[fe80::1]:80", &["::/0"], Some(LinkLocal)),
        ("169.254.169.254:80", &["169.254.0.0/16"], Some(Metadata)),
        ("100.100.100.200:80", &["100.64.0.0/10"], Some(Metadata)),
        ("[fd00:ec2::254]:80", &["fc00::/7"], Some(Metadata)),
    ];
    for (address, open, expected) in rows {
        let result = policy::check(address.parse().unwrap(), &networks(open), &[]);
        assert_eq!(result.err(), expected, "{address} with {open:?}");
    }
    let own: Vec<SocketAddr> = ["192.0.2.10:443", "10.9.0.1:80", "127.0.0.1:9900", "10.9.0.2:0"]
        .map(|own| own.parse().unwrap())
        .into();
    let rows = [
        ("192.0.2.10:443", Some(Own)),
        ("192.0.2.10:8080", Some(Own)),
        ("[::ffff:192.0.2.10]:8080", Some(Own)),
        ("192.0.2.11:443", None),
        ("10.9.0.1:80", Some(Own)),
        ("10.9.0.1:8080", None),
        ("10.9.0.2:8080", Some(Own)),
        ("127.0.0.1:9900", Some(Own)),
        ("127.0.0.1:9901", None),
    ];
    for (address, expected) in rows {
        let result = policy::check(address.parse().unwrap(), &networks(&open[..3]), &own);
        assert_eq!(result.err(), expected, "{address}");
    }
}

proptest! {
    /// The standard library's own words, where it has them, against ours.
    #[test]
    fn nothing_special_passes_by_default(bits: u128, v4: u32, low: u8) {
        let narrow = u32::from(low) << 24 | (v4 & 0xff_ffff);
        for ip in [IpAddr::from(Ipv6Addr::from(bits)), Ipv4Addr::from(v4).into(), Ipv4Addr::from(narrow).into()] {
            let special = match ip {
                IpAddr::V4(v4) => {
                    v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_broadcast()
                        || v4.is_unspecified() || v4.is_multicast()
                }
                IpAddr::V6(v6) => {
                    v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
                        || v6.is_unspecified() || v6.is_multicast()
                }
            };
            let result = policy::check(SocketAddr::new(ip, 80), &[], &[]);
            prop_assert!(!(special && result.is_ok()), "{ip}");
            let IpAddr::V4(v4) = ip else { continue };
            let mapped = SocketAddr::new(v4.to_ipv6_mapped().into(), 80);
            prop_assert_eq!(policy::check(mapped, &[], &[]), result);
        }
    }
}

#[tokio::test]
async fn connections_are_reused_by_their_tenant_only() {
    let (pool, metrics) = pool();
    let (listener, url) = listen().await;
    let site = upstreams(&[url]);
    let mut lease = pool.connect(&site, tenant(1)).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    assert!(!lease.reused());
    lease.write_all(b"a").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'a');
    lease.keep();
    assert_eq!(pool.idle(), 1);

    let other = pool.connect(&site, tenant(2)).await.unwrap();
    assert!(!other.reused());
    drop(other);

    let mut lease = pool.connect(&site, tenant(1)).await.unwrap();
    assert!(lease.reused());
    assert_eq!(pool.idle(), 0);
    lease.write_all(b"b").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'b');
    lease.keep();

    let fresh = pool.fresh(&site, tenant(1)).await.unwrap();
    assert!(!fresh.reused());
    assert_eq!((counted(&metrics, "opened"), counted(&metrics, "reused")), (3, 1));
}

#[tokio::test]
async fn a_dropped_lease_closes() {
    let (pool, _) = pool();
    let (listener, url) = listen().await;
    drop(pool.connect(&upstreams(&[url]), tenant(1)).await.unwrap());
    let (mut server, _) = listener.accept().await.unwrap();
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(pool.idle(), 0);
}

#[tokio::test]
async fn dead_and_talking_connections_are_not_reused() {
    for name in ["closed", "reset", "talks"] {
        let (pool, _) = pool();
        let (listener, url) = listen().await;
        let site = upstreams(&[url]);
        let lease = pool.connect(&site, tenant(1)).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        lease.keep();
        let _talking = match name {
            "talks" => {
                server.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
                Some(server)
            }
            "reset" => {
                socket2::SockRef::from(&server).set_linger(Some(Duration::ZERO)).unwrap();
                drop(server);
                None
            }
            _ => {
                drop(server);
                None
            }
        };
        // No turn of the runtime lies between: the socket itself is asked. Loopback delivers at once.
        let lease = pool.connect(&site, tenant(1)).await.unwrap();
        assert!(!lease.reused(), "{name}");
        assert_eq!(pool.idle(), 0, "{name}");
    }
}

#[tokio::test]
async fn origins_take_turns() {
    let (pool, _) = pool();
    let ((_one, first), (_two, second)) = (listen().await, listen().await);
    let site = upstreams(&[first, second]);
    let mut ports = Vec::new();
    for _ in 0..4 {
        ports.push(pool.connect(&site, tenant(1)).await.unwrap().address().port());
    }
    assert_eq!(ports[..2], ports[2..]);
    assert_ne!(ports[0], ports[1]);
}

#[tokio::test]
async fn the_next_origin_stands_in_for_a_dead_one() {
    let (pool, metrics) = pool();
    let ((_dead, dead), (listener, url)) = (deaf(), listen().await);
    let site = upstreams(&[dead, url]);
    for _ in 0..4 {
        let lease = pool.connect(&site, tenant(1)).await.unwrap();
        assert_eq!(lease.address(), listener.local_addr().unwrap());
    }
    // Remembered: the dead one was asked once, not at each of its turns.
    assert_eq!(counted(&metrics, "connect_failed"), 1);
    // At the dead one's turns, too, the living one's idle connections are used.
    pool.connect(&site, tenant(1)).await.unwrap().keep();
    for _ in 0..4 {
        let lease = pool.connect(&site, tenant(1)).await.unwrap();
        assert!(lease.reused());
        lease.keep();
    }
}

#[tokio::test]
async fn when_all_are_dead_the_last_failure_is_told() {
    let (pool, metrics) = pool();
    let dead: Vec<_> = (0..ATTEMPTS_MAX + 2).map(|_| deaf()).collect();
    let site = upstreams(&dead.iter().map(|(_, url)| url.clone()).collect::<Vec<_>>());
    let error = pool.connect(&site, tenant(1)).await.unwrap_err();
    assert!(matches!(error, OriginError::Connect { .. }), "{error:?}");
    assert!(!error.is_timeout());
    assert_eq!(counted(&metrics, "connect_failed"), ATTEMPTS_MAX as u64);
    // What failed lately is tried all the same when nothing else is left.
    let (_dead, url) = &dead[0];
    let site = upstreams(std::slice::from_ref(url));
    pool.connect(&site, tenant(1)).await.unwrap_err();
    assert_eq!(counted(&metrics, "connect_failed"), ATTEMPTS_MAX as u64 + 1);

    let error = pool.connect(&upstreams(&[]), tenant(1)).await.unwrap_err();
    assert!(matches!(error, OriginError::NoOrigin));
}

#[tokio::test]
async fn policy_holds_for_names_and_for_reuse() {
    let (pool, metrics) = pool();
    let (listener, url) = listen().await;
    let port = listener.local_addr().unwrap().port();
    // The machine's own resolver answers this one (RFC 6761 §6.3).
    let origin = OriginUrl::parse(&format!("http://localhost:{port}")).unwrap();
    let closed = Upstreams::new(vec![origin.clone()], networks(&["10.0.0.0/8"]));
    let error = pool.connect(&closed, tenant(1)).await.unwrap_err();
    assert!(matches!(error, OriginError::Forbidden { source: Forbidden::Loopback, .. }), "{error:?}");
    assert!(counted(&metrics, "forbidden") >= 1);

    let open = Upstreams::new(vec![origin.clone()], networks(&["127.0.0.0/8", "::1/128"]));
    pool.connect(&open, tenant(1)).await.unwrap().keep();
    // A new snapshot forbids the address: the idle connection to it goes too.
    let error = pool.connect(&closed, tenant(1)).await.unwrap_err();
    assert!(matches!(error, OriginError::Forbidden { .. }));
    assert_eq!(pool.idle(), 0);

    let own = upstreams(&[url]).forbidding(vec![listener.local_addr().unwrap()]);
    let error = pool.connect(&own, tenant(1)).await.unwrap_err();
    assert!(matches!(error, OriginError::Forbidden { source: Forbidden::Own, .. }));
}

#[tokio::test]
async fn a_name_without_address_is_named() {
    let (pool, metrics) = pool();
    // RFC 6761 §6.4: never resolves.
    let error = pool.connect(&upstreams(&["http://origin.invalid".into()]), tenant(1)).await.unwrap_err();
    assert!(matches!(error, OriginError::Resolve { .. }), "{error:?}");
    assert_eq!(counted(&metrics, "resolve_failed"), 1);
}

#[tokio::test]
async fn tls_origins_are_verified_and_reused() {
    let authority = Authority::new();
    for (name, host, certificate, expected) in [
        ("address", "127.0.0.1", "127.0.0.1", false),
        ("name", "localhost", "localhost", true),
        ("wrong name", "localhost", "other.example", false),
    ] {
        let pool = Pool::with_connector(Arc::default(), authority.connector());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let site = upstreams(&[format!("https://{host}:{port}")]);
        // Our own acceptor as the origin: it wants SNI, which an address does not send, hence the refusal there.
        let identity = authority.identity(&[certificate]);
        let acceptor = on_loopback("localhost", identity);
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.hello(stream, LONG).await?.accept(LONG).await
        };
        let (lease, server) = tokio::join!(pool.connect(&site, tenant(1)), serve);
        assert_eq!(lease.is_ok(), expected, "{name}: {lease:?}");
        let Ok(mut lease) = lease else {
            let error = lease.unwrap_err();
            assert!(matches!(error, OriginError::Handshake { .. }), "{name}: {error:?}");
            continue;
        };
        // The server's session tickets lie unread in the idle connection: it is alive all the same.
        let mut server = server.unwrap();
        lease.write_all(b"a").await.unwrap();
        lease.flush().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'a');
        lease.keep();
        let lease = pool.connect(&site, tenant(1)).await.unwrap();
        assert!(lease.reused(), "{name}");
        lease.keep();
        drop(server);
        // The server's end is seen without a turn of the runtime. A new handshake would never end: nobody accepts.
        tokio::select! {
            biased;
            lease = pool.connect(&site, tenant(1)) => panic!("{name}: given out dead: {lease:?}"),
            () = tokio::task::yield_now() => assert_eq!(pool.idle(), 0, "{name}"),
        }
    }
}

#[tokio::test]
async fn what_tls_keeps_back_is_no_next_answer() {
    let authority = Authority::new();
    let pool = Pool::with_connector(Arc::default(), authority.connector());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = upstreams(&[format!("https://localhost:{}", listener.local_addr().unwrap().port())]);
    let identity = authority.identity(&["localhost"]);
    let acceptor = on_loopback("localhost", identity);
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.hello(stream, LONG).await?.accept(LONG).await
    };
    let (lease, server) = tokio::join!(pool.connect(&site, tenant(1)), serve);
    let (mut lease, mut server) = (lease.unwrap(), server.unwrap());
    // Both lie in the socket together, and TLS takes both. The second answers no request.
    for record in [b"one", b"two"] {
        server.write_all(record).await.unwrap();
        server.flush().await.unwrap();
    }
    lease.read_exact(&mut [0; 3]).await.unwrap();
    lease.keep();
    // A new handshake would never end: nobody accepts.
    tokio::select! {
        biased;
        lease = pool.connect_for_repeatable(&site, tenant(1)) => panic!("given out: {lease:?}"),
        () = tokio::task::yield_now() => assert_eq!(pool.idle(), 0),
    }
}

async fn idle(origin: &OriginUrl, since: Instant) -> (IdleConnection, TcpStream) {
    let (client, server) = pair().await;
    let address = client.peer_addr().unwrap();
    (IdleConnection { origin: origin.clone(), address, stream: OriginStream::Plain(client), since }, server)
}

#[tokio::test]
async fn idle_connections_are_bounded_and_age() {
    let origin = OriginUrl::parse("http://192.0.2.1").unwrap();
    let other = OriginUrl::parse("http://192.0.2.2").unwrap();
    let now = Instant::now();
    let mut connections = IdleConnections::default();
    let mut servers = Vec::new();
    for _ in 0..IDLE_PER_TENANT_MAX + 3 {
        let (connection, server) = idle(&origin, now).await;
        connections.put(tenant(1), connection);
        servers.push(server);
    }
    assert_eq!(connections.len(), IDLE_PER_TENANT_MAX);
    // The oldest went.
    assert_eq!(servers[0].read(&mut [0]).await.unwrap(), 0);
    assert!(connections.take(tenant(1), &other, now, Look::Now, |_| true).is_none());
    assert!(connections.take(tenant(2), &origin, now, Look::Now, |_| true).is_none());
    assert_eq!(connections.len(), IDLE_PER_TENANT_MAX);
    assert!(
        connections
            .take(tenant(1), &origin, now + IDLE_FOR - Duration::from_millis(1), Look::Now, |_| true)
            .is_some()
    );
    assert_eq!(connections.len(), IDLE_PER_TENANT_MAX - 1);

    let (young, _server) = idle(&other, now + IDLE_FOR).await;
    connections.put(tenant(2), young);
    let (dead, server) = idle(&other, now + IDLE_FOR).await;
    connections.put(tenant(2), dead);
    drop(server);
    connections.sweep(now + IDLE_FOR);
    assert_eq!(connections.len(), 1);
    assert!(connections.take(tenant(1), &origin, now + IDLE_FOR, Look::Now, |_| true).is_none());
    assert!(connections.take(tenant(2), &other, now + IDLE_FOR * 2, Look::Now, |_| true).is_none());
    assert_eq!(connections.len(), 0);
}

#[tokio::test]
async fn the_last_good_answer_is_kept() {
    let resolver = super::resolve::Resolver::default();
    // RFC 6761 §6.4: never resolves.
    let origin = OriginUrl::parse("http://origin.invalid:8080").unwrap();
    let name = Fqdn::new("origin.invalid").unwrap();
    assert!(resolver.addresses(&origin).await.is_err());
    // The failure is remembered: a broken name does not cost a look-up a request.
    assert!(!resolver.would_ask(&name, Instant::now()));
    assert!(resolver.addresses(&origin).await.is_err());
    assert!(resolver.would_ask(&name, Instant::now() + RETRY_AFTER));

    let address: IpAddr = "192.0.2.7".parse().unwrap();
    resolver.remember(&name, address, Instant::now().checked_sub(ANSWER_FRESH).unwrap());
    assert!(resolver.would_ask(&name, Instant::now()));
    let expected = [SocketAddr::new(address, 8080)];
    assert_eq!(resolver.addresses(&origin).await.unwrap(), expected);
    assert!(!resolver.would_ask(&name, Instant::now()));
    assert!(resolver.would_ask(&name, Instant::now() + RETRY_AFTER));
}

#[tokio::test]
async fn one_asks_for_all() {
    let resolver = super::resolve::Resolver::default();
    let origin = OriginUrl::parse("http://localhost:8080").unwrap();
    let ask = || resolver.addresses(&origin);
    // A cancelled asker (its visitor is gone) leaves the question to the next.
    {
        let mut cancelled = std::pin::pin!(ask());
        let _polled_once = cancelled.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    let one = one.unwrap();
    assert!(one.iter().all(|address| address.ip().is_loopback() && address.port() == 8080), "{one:?}");
    assert_eq!((one.clone(), one), (two.unwrap(), three.unwrap()));
}

#[test]
fn slow_is_told_from_broken() {
    let origin = OriginUrl::parse("https://192.0.2.1").unwrap();
    let address: SocketAddr = "192.0.2.1:443".parse().unwrap();
    let connect =
        |kind: io::ErrorKind| OriginError::Connect { origin: origin.clone(), address, source: kind.into() };
    let resolve = |kind: io::ErrorKind| OriginError::Resolve { origin: origin.clone(), source: kind.into() };
    let handshake =
        |error| OriginError::Handshake { origin: origin.clone(), address, source: Box::new(error) };
    let rows = [
        (connect(io::ErrorKind::TimedOut), true),
        (connect(io::ErrorKind::ConnectionRefused), false),
        (resolve(io::ErrorKind::TimedOut), true),
        (resolve(io::ErrorKind::NotFound), false),
        (handshake(HandshakeError::Timeout), true),
        (handshake(HandshakeError::NotTls), false),
        (OriginError::NoOrigin, false),
    ];
    for (error, expected) in rows {
        assert_eq!(error.is_timeout(), expected, "{error:?}");
    }
    let whole = handshake(HandshakeError::NotTls);
    assert_eq!(whole.to_string(), "handshake with https://192.0.2.1:443 at 192.0.2.1:443");
    assert_eq!(std::error::Error::source(&whole).unwrap().to_string(), "peer does not speak TLS");
}

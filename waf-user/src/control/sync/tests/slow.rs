//! Peers that say nothing, or take nothing, cost their time and are gone.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use ipnet::IpNet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{Line, Node, answer};
use super::world::{DEADLINE, World, operator};
use crate::control::bans::{Making, Where};
use crate::control::store::Folder;
use crate::control::sync::limits::{STRANGERS_OF_ADDRESS_MAX, Times};
use crate::model::Wall;
use crate::model::sync::CONTROL_NAME;
use crate::tls::MutualConnector;

const SHORT: Duration = Duration::from_millis(300);

/// Reads until the other side closes.
async fn closed(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut bytes = Vec::new();
    match timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("closed in time") {
        Ok(_) => {}
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof), "{error}")
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_before_a_request_is_bounded() {
    let folder = Folder::new("sync");
    let world = World::patient(&folder, Times { handshake: SHORT, request: SHORT, ..Times::default() }).await;
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    closed(&mut silent).await;
    let mut plain = TcpStream::connect(world.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    closed(&mut plain).await;
    // TLS and no HTTP/2, HTTP/2 and no request, a request and half a body.
    let connector = MutualConnector::pinned(world.authority.fingerprint()).unwrap();
    let tcp = TcpStream::connect(world.address).await.unwrap();
    let mut tls = connector.connect(tcp, CONTROL_NAME, DEADLINE).await.unwrap();
    closed(&mut tls).await;
    let line = Line::open(&connector, world.address).await.unwrap();
    timeout(DEADLINE, line.closed()).await.expect("closed in time");
    let mut line = Line::open(&connector, world.address).await.unwrap();
    let (response, mut out) = line.begin("POST", "/join").await.unwrap();
    out.send_data(Bytes::from_static(b"{"), false).unwrap();
    let (status, sentence) = answer(response).await.unwrap_err();
    assert!(status == 408 && sentence.contains("did not come within 300ms"), "{status} {sentence}");
    let node = Node::join(&world, "a1").await;
    let mut line = node.line(&world).await.unwrap();
    let (response, _out) = line.begin("POST", "/sync").await.unwrap();
    let (status, sentence) = answer(response).await.unwrap_err();
    assert!(status == 408 && sentence.contains("no hello came within 300ms"), "{status} {sentence}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_node_is_as_good_as_gone() {
    let folder = Folder::new("sync");
    let world = World::patient(&folder, Times { silence: SHORT, ..Times::default() }).await;
    let node = Node::join(&world, "a1").await;
    let mut stream = node.connect(&world).await.unwrap();
    let word = stream.last_word().await.unwrap();
    assert_eq!(word, "the node was silent for 300ms");
    world.stands("a1", |it| it.is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_answers_no_ping_is_gone() {
    let folder = Folder::new("sync");
    let times = Times { ping: SHORT, pong: SHORT, ..Times::default() };
    let world = World::patient(&folder, times).await;
    let node = Node::join(&world, "a1").await;
    let mut stream = node.connect(&world).await.unwrap();
    world.stands("a1", |it| it.is_some()).await;
    // Nobody reads its connection from here on.
    stream.freeze();
    world.stands("a1", |it| it.is_none()).await;
    let node = Node::join(&world, "a2").await;
    let mut stream = node.connect(&world).await.unwrap();
    for _ in 0..8 {
        stream.status(true).await;
        tokio::time::sleep(SHORT).await;
    }
    assert!(world.fleet.standing(&super::world::name("a2")).is_some(), "pings are answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_takes_nothing_is_gone() {
    let folder = Folder::new("sync");
    let world = World::patient(&folder, Times { taken: SHORT, ..Times::default() }).await;
    let making = |at: u32| Making {
        prefix: IpNet::new(std::net::Ipv4Addr::from(0x0a00_0000 + at * 256).into(), 32).unwrap(),
        expires: None,
        reason: "a list".to_owned(),
        imported: true,
    };
    // More than the 64 KiB that HTTP/2 lets through untaken.
    world.bans.put(&Where::Fleet, (0..3_000).map(making).collect(), &operator(), Wall::now()).await.unwrap();
    let node = Node::join(&world, "a1").await;
    let stream = node.connect(&world).await.unwrap();
    world.stands("a1", |it| it.is_some()).await;
    world.stands("a1", |it| it.is_none()).await;
    drop(stream);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_places() {
    let folder = Folder::new("sync");
    let world = World::patient(&folder, Times { handshake: DEADLINE, ..Times::default() }).await;
    let node = Node::join(&world, "a1").await;
    let stream = node.connect(&world).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..STRANGERS_OF_ADDRESS_MAX {
        silent.push(TcpStream::connect(world.address).await.unwrap());
    }
    let mut one_more = TcpStream::connect(world.address).await.unwrap();
    closed(&mut one_more).await;
    assert!(world.fleet.standing(&super::world::name("a1")).is_some(), "who is in stays in");
    drop(silent);
    let mut tries = 0;
    while node.connect(&world).await.is_err() {
        tries += 1;
        assert!(tries < 10_000, "places are given back");
        tokio::task::yield_now().await;
    }
    drop(stream);
}

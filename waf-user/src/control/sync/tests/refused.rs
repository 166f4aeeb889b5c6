//! Who is not let in, and with which sentence.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{Line, Node, Said, request};
use super::world::{DEADLINE, World, name, operator};
use crate::control::authority::Authority;
use crate::control::inventory::NodeState;
use crate::control::plan::tests::NOW;
use crate::control::store::{Folder, SqliteStore};
use crate::control::sync::limits::{UP_BYTES_MAX, WHY_CHARS_MAX, WORD_CHARS_MAX};
use crate::model::Wall;
use crate::model::sync::{CALL_BYTES_MAX, CONTROL_NAME, Greeting, JoinRequest, Status, TenantUsage, Up};
use crate::tls::{MutualConnector, explain};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn said<T>(result: Result<T, Said>, status: u16, expected: &str) {
    let Err((found, sentence)) = result else { panic!("not refused: {expected}") };
    assert!(
        found == status && sentence.contains(expected),
        "{found} {sentence:?}, not {status} {expected:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_joins_one_node_once() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let token = world.authority.token(&name("a1"), DEADLINE, Wall::now()).await.unwrap();
    said(Node::join_with(&world, "a2", &token).await, 403, "for node a1, and for no other");
    let node = Node::join_with(&world, "a1", &token).await.unwrap();
    said(Node::join_with(&world, "a1", &token).await, 403, "used already");
    assert!(node.connect(&world).await.is_ok());
    let old = Wall(Wall::now().0 - 60_000);
    let ended = world.authority.token(&name("a1"), Duration::from_secs(1), old).await.unwrap();
    said(Node::join_with(&world, "a1", &ended).await, 403, "no such token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_or_ended_certificate_is_no_certificate() {
    let (folder, foreign_folder) = (Folder::new("sync"), Folder::new("foreign"));
    let world = World::new(&folder).await;
    let store = std::sync::Arc::new(SqliteStore::open(foreign_folder.path()).unwrap());
    let foreign = Authority::open(store, &super::world::ring(), Wall::now()).await.unwrap();
    for (authority, then, expected) in [
        (&foreign, Wall::now(), "did not issue"),
        (&*world.authority, Wall(Wall::now().0 - 40 * DAY_MS), "has ended"),
    ] {
        let token = authority.token(&name("a1"), DEADLINE, then).await.unwrap();
        let (request, key) = request();
        let asked = JoinRequest { node: "a1".to_owned(), token, request };
        let mut reply = authority.join(&asked, then).await.unwrap();
        // It knows the right control, and is not known there.
        reply.authority = world.authority.certificate_pem().to_owned();
        let node = Node::new("a1", reply, &key);
        let connector = MutualConnector::new(node.reply.authority.as_bytes(), &node.identity).unwrap();
        let tcp = TcpStream::connect(world.address).await.unwrap();
        // In TLS 1.3 a client is done before the server looks at its certificate.
        let mut tls = connector.connect(tcp, CONTROL_NAME, DEADLINE).await.unwrap();
        let error = timeout(DEADLINE, tls.read_u8()).await.unwrap().unwrap_err();
        assert!(explain(&error).is_some_and(|it| it.contains(expected)), "{expected}: {error}");
        assert!(world.fleet.standing(&name("a1")).is_none(), "{expected}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_certificate_ends_its_streams_and_opens_none() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let node = Node::join(&world, "a1").await;
    let mut stream = node.connect(&world).await.unwrap();
    let renewed = node.renew(&world).await.unwrap();
    assert!(renewed.certificate != node.reply.certificate && renewed.ends_ms >= node.reply.ends_ms);
    assert_eq!(world.authority.revoke(&name("a1")).await.unwrap(), 2);
    let word = stream.last_word().await.unwrap();
    assert!(word.contains("the certificate of node a1 is revoked"), "{word}");
    said(node.connect(&world).await, 403, "is revoked: join again with a new token");
    said(node.renew(&world).await, 403, "is revoked: join again with a new token");
    world.stands("a1", |it| it.is_none()).await;
    assert!(Node::join(&world, "a1").await.connect(&world).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_of_the_node_whose_certificate_it_shows() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let node = Node::join(&world, "a1").await;
    let greet = async |greeting: Greeting| node.greet(&world, &Up::Hello(greeting)).await;
    said(greet(Greeting { node: "a2".to_owned(), ..node.hello() }).await, 403, "calls itself a2");
    said(greet(Greeting { version: 99, ..node.hello() }).await, 409, "speaks version 99");
    said(node.greet(&world, &Up::Again).await, 400, "begins with a hello");
    said(Node::join(&world, "c9").await.connect(&world).await, 403, "node c9 is not in the inventory");
    world.ledger.set_node_state(&name("a2"), NodeState::Dead, &operator(), NOW).await.unwrap();
    let dead = Node::join(&world, "a2").await;
    let refused = dead.connect(&world).await;
    // The listener may not have heard yet.
    match refused {
        Ok(mut stream) => assert!(stream.last_word().await.unwrap().contains("is dead in the inventory")),
        refused => said(refused, 403, "node a2 is dead in the inventory"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leaves_the_inventory_loses_its_stream() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let (one, other) = (Node::join(&world, "a1").await, Node::join(&world, "a2").await);
    let (mut to_one, mut to_other) =
        (one.connect(&world).await.unwrap(), other.connect(&world).await.unwrap());
    world.ledger.set_node_state(&name("a1"), NodeState::Dead, &operator(), NOW).await.unwrap();
    assert!(to_one.last_word().await.unwrap().contains("node a1 is dead in the inventory"));
    world.ledger.remove_node(&name("a2"), &operator(), NOW).await.unwrap();
    assert!(to_other.last_word().await.unwrap().contains("node a2 is not in the inventory"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_another_kind_are_refused() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let stranger = MutualConnector::pinned(world.authority.fingerprint()).unwrap();
    let long = vec![b'x'; CALL_BYTES_MAX + 1];
    let table: [(&str, &str, Vec<u8>, u16, &str); 7] = [
        ("POST", "/sync", Vec::new(), 401, "needs this node's certificate"),
        ("POST", "/renew", Vec::new(), 401, "needs this node's certificate"),
        ("GET", "/join", Vec::new(), 405, "takes POST only"),
        ("POST", "/", Vec::new(), 404, "and nothing else"),
        ("POST", "/join", b"{}".to_vec(), 400, "no request of this kind"),
        ("POST", "/join", vec![b'x'; CALL_BYTES_MAX], 400, "no request of this kind"),
        ("POST", "/join", long, 413, "at most 65536 bytes"),
    ];
    for (method, path, body, status, expected) in table {
        let mut line = Line::open(&stranger, world.address).await.unwrap();
        said(line.ask(method, path, body).await, status, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_another_kind_end_the_stream() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let node = Node::join(&world, "a1").await;
    let certificates = vec!["ab".repeat(32)];
    for (up, expected) in [
        (Up::Hello(node.hello()), "a stream has one hello"),
        (Up::Want { certificates }, "not of the document sent to it"),
    ] {
        let mut stream = node.connect(&world).await.unwrap();
        stream.say(&up).await;
        let word = stream.last_word().await.unwrap();
        assert!(word.contains(expected), "{word}");
    }
    let too_long = u32::try_from(UP_BYTES_MAX + 1).unwrap().to_be_bytes().to_vec();
    let no_message = vec![0, 0, 0, 2, b'{', b'}'];
    for (bytes, expected) in
        [(too_long, "a message of 4194305 bytes"), (no_message, "another version of waf")]
    {
        let mut stream = node.connect(&world).await.unwrap();
        stream.out.send_data(bytes.into(), false).unwrap();
        let word = stream.last_word().await.unwrap();
        assert!(word.contains(expected), "{word}");
    }
    // As much as the largest node has to say is taken.
    let usage = |tenant| TenantUsage {
        tenant,
        requests: u64::MAX,
        limited: u64::MAX,
        bytes: u64::MAX,
        handshakes: u64::MAX,
    };
    let status = Status { usage: (0..20_000).map(usage).collect(), is_ready: true, ..Status::default() };
    let mut stream = node.connect(&world).await.unwrap();
    stream.say(&Up::Status(status)).await;
    world.stands("a1", |it| it.is_some_and(|it| it.is_ready)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_words_of_one_node_keep_no_other_from_being_seen() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..2, 2).await;
    let node = Node::join(&world, "a1").await;
    let long = "é".repeat(600_000);
    let greeting = Greeting { software: long.clone(), hash: long.clone(), ..node.hello() };
    let mut stream = node.greet(&world, &Up::Hello(greeting)).await.unwrap();
    world.stands("a1", |it| it.is_some_and(|it| it.software.chars().count() == WORD_CHARS_MAX)).await;
    let generation = world.ledger.view().revision().0;
    stream.say(&Up::Refused { generation, why: long.clone() }).await;
    world
        .stands("a1", |it| {
            it.is_some_and(|it| it.refused.is_some_and(|why| why.chars().count() == WHY_CHARS_MAX))
        })
        .await;
    let other = World::on(std::sync::Arc::clone(&world.store), Default::default()).await;
    other.stands("a1", |it| it.is_some_and(|it| it.refused.is_some())).await;
    said(
        node.greet(&world, &Up::Hello(Greeting { node: long, ..node.hello() })).await,
        403,
        "calls itself é",
    );
}

//! Tokens are good once, for one node and a time; certificates of this authority alone are taken, while they last.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::control::store::{Folder, SqliteStore};
use crate::model::sync::{CONTROL_NAME, JoinReply, JoinRequest, JoinToken, KeyText};
use crate::tls::{HandshakeError, Identity, MutualAcceptor, MutualConnector, Peer, explain};

const WITHIN: Duration = Duration::from_secs(30);

fn ring() -> KeyRing {
    KeyRing::new(&Secret::new([7; 32]), &[]).unwrap()
}

async fn authority(folder: &Folder, now: Wall) -> Authority {
    Authority::open(Arc::new(SqliteStore::open(folder.path()).unwrap()), &ring(), now).await.unwrap()
}

fn request(node: &str, token: &KeyText) -> (JoinRequest, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    (JoinRequest { node: node.to_owned(), token: token.clone(), request }, key)
}

async fn joined(authority: &Authority, now: Wall) -> (JoinReply, Identity) {
    let node = NodeName::new("a1").unwrap();
    let token = authority.token(&node, Duration::from_secs(60), now).await.unwrap();
    let (request, key) = request("a1", &token);
    let reply = authority.join(&request, now).await.unwrap();
    let identity = Identity::from_pem(reply.certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    (reply, identity)
}

#[tokio::test]
async fn a_token_is_good_once_for_one_node_and_a_time() {
    let (folder, now) = (Folder::new("authority"), Wall::now());
    let authority = authority(&folder, now).await;
    let node = NodeName::new("a1").unwrap();
    let token = authority.token(&node, Duration::from_secs(60), now).await.unwrap();
    let (good, _key) = request("a1", &token);
    let later = Wall(now.0 + 60_000);
    let unknown = JoinToken { secret: "0".repeat(64), authority: "0".repeat(64) }.text();
    for (name, asked, at, expected) in [
        ("another node", request("a2", &token).0, now, "for node a1"),
        ("too late", good.clone(), later, "no such token"),
        ("unknown", request("a1", &unknown).0, now, "no such token"),
        ("no token", request("a1", &KeyText::new("x".to_owned())).0, now, "has the form"),
        ("no request", JoinRequest { request: "x".to_owned(), ..good.clone() }, now, "read the certificate"),
    ] {
        let error = authority.join(&asked, at).await.unwrap_err();
        assert!(error.is_refusal() && error.to_string().contains(expected), "{name}: {error}");
    }
    let (one, other) = tokio::join!(authority.join(&good, now), authority.join(&good, now));
    assert!(one.is_ok() != other.is_ok(), "of two at once, one gets it");
    assert!(matches!(authority.join(&good, now).await, Err(AuthorityError::Used)));
}

/// What the client hears with its first read, and whom the server sees.
async fn meet(
    acceptor: &MutualAcceptor,
    connector: &MutualConnector,
) -> (Result<Option<Peer>, HandshakeError>, std::io::Result<u8>) {
    let (client, server) = crate::tls::fixtures::pair().await;
    let serving = async {
        let (mut stream, peer) = acceptor.accept(server, WITHIN).await?;
        stream.write_all(b"!").await.unwrap();
        stream.shutdown().await.unwrap();
        Ok(peer)
    };
    let asking = async {
        let stream = connector.connect(client, CONTROL_NAME, WITHIN).await;
        let mut stream = stream.map_err(|error| match error {
            HandshakeError::Failed { source } => std::io::Error::other(source),
            error => std::io::Error::other(error.to_string()),
        })?;
        stream.read_u8().await
    };
    tokio::join!(serving, asking)
}

#[tokio::test]
async fn only_certificates_of_this_authority_that_last_are_taken() {
    let (folder, foreign_folder, now) = (Folder::new("authority"), Folder::new("foreign"), Wall::now());
    let (ours, foreign) = (authority(&folder, now).await, authority(&foreign_folder, now).await);
    let listener = ours.listener(now).unwrap();
    let identity = Identity::from_pem(listener.chain_pem.as_bytes(), listener.key_pem.as_bytes()).unwrap();
    let acceptor = MutualAcceptor::new(ours.certificate_pem().as_bytes(), &identity).unwrap();
    let connector =
        |identity: &Identity| MutualConnector::new(ours.certificate_pem().as_bytes(), identity).unwrap();

    let (reply, good) = joined(&ours, now).await;
    let (seen, heard) = meet(&acceptor, &connector(&good)).await;
    let peer = seen.unwrap().unwrap();
    assert_eq!((peer.name.as_str(), peer.ends.0 / 1000, heard.unwrap()), ("a1", reply.ends_ms / 1000, b'!'));

    let (_, ended) = joined(&ours, Wall(now.0 - 40 * DAY_MS)).await;
    let (_, foreign_identity) = joined(&foreign, now).await;
    for (name, identity, expected) in
        [("ended", &ended, "has ended"), ("foreign", &foreign_identity, "did not issue")]
    {
        let (seen, heard) = meet(&acceptor, &connector(identity)).await;
        assert!(matches!(seen, Err(HandshakeError::Failed { .. })), "{name}: {seen:?}");
        let said = heard.unwrap_err();
        assert!(explain(&said).is_some_and(|said| said.contains(expected)), "{name}: {said:?}");
    }

    let pinned = |authority: &Authority| MutualConnector::pinned(authority.fingerprint()).unwrap();
    let (seen, heard) = meet(&acceptor, &pinned(&ours)).await;
    assert!(seen.unwrap().is_none() && heard.is_ok());
    let (_, heard) = meet(&acceptor, &pinned(&foreign)).await;
    assert!(explain(&heard.unwrap_err()).is_some_and(|said| said.contains("not the control plane")));

    let node = NodeName::new("a1").unwrap();
    assert!(!ours.is_revoked(&peer.serial).await.unwrap());
    ours.revoke(&node).await.unwrap();
    assert!(ours.is_revoked(&peer.serial).await.unwrap());
    let refused = ours.renew(&node, &peer.serial, "", now).await;
    assert!(matches!(refused, Err(AuthorityError::Revoked(_))));
    ours.sweep(Wall(now.0 + 40 * DAY_MS)).await.unwrap();
    assert!(!ours.is_revoked(&peer.serial).await.unwrap(), "ended by itself");
}

#[tokio::test]
async fn it_is_made_once_and_signs() {
    let (folder, now) = (Folder::new("authority"), Wall::now());
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let ring = ring();
    let open = || Authority::open(Arc::clone(&store), &ring, now);
    let (one, other) = tokio::join!(open(), open());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.fingerprint(), one.fleet_key()), (other.fingerprint(), other.fleet_key()));
    let signature = one.sign(&NodeName::new("a1").unwrap(), 7, "{}");
    assert!(crate::model::sync::signing::is_signed(&other.fleet_key(), "a1", 7, "{}", &signature));
}

#[tokio::test]
async fn revoking_leaves_a_node_nothing_to_come_back_with() {
    let (folder, now) = (Folder::new("authority"), Wall::now());
    let authority = Arc::new(authority(&folder, now).await);
    let node = NodeName::new("a1").unwrap();
    let serial_of = async || {
        let listed = authority.certificates(&node).await.unwrap();
        certificates_of(&node).unwrap().rest(&listed[0].key).unwrap().to_owned()
    };
    for round in 0..20 {
        let (reply, _) = joined(&authority, now).await;
        assert!(reply.ends_ms > now.0);
        let serial = serial_of().await;
        let unused = authority.token(&node, Duration::from_secs(60), now).await.unwrap();
        let other = NodeName::new("a2").unwrap();
        let others = authority.token(&other, Duration::from_secs(60), now).await.unwrap();
        let (late, _) = request("a1", &unused);
        let renewing = (0..4).map(|_| {
            let (authority, node, serial) = (Arc::clone(&authority), node.clone(), serial.clone());
            let request = late.request.clone();
            tokio::spawn(async move { while authority.renew(&node, &serial, &request, now).await.is_ok() {} })
        });
        let renewing: Vec<_> = renewing.collect();
        authority.revoke(&node).await.unwrap();
        for task in renewing {
            task.await.unwrap();
        }
        assert!(authority.certificates(&node).await.unwrap().is_empty(), "round {round}");
        assert!(matches!(authority.join(&late, now).await, Err(AuthorityError::NoToken)));
        assert!(authority.join(&request("a2", &others).0, now).await.is_ok(), "another node's");
        authority.revoke(&other).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_that_asks_without_end_is_refused() {
    let (folder, now) = (Folder::new("authority"), Wall::now());
    let authority = authority(&folder, now).await;
    let node = NodeName::new("a1").unwrap();
    joined(&authority, now).await;
    let pem = request("a1", &KeyText::new(String::new())).0.request;
    for _ in 1..issue::CERTIFICATES_OF_NODE_MAX {
        authority.renew(&node, "7", &pem, now).await.unwrap();
    }
    let refused = authority.renew(&node, "7", &pem, now).await.unwrap_err();
    assert!(refused.is_refusal() && refused.to_string().contains("100 certificates already"), "{refused}");
}

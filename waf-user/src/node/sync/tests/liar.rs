//! A control process that is not what it should be: the node believes signatures, fingerprints and lengths.

use std::rc::Rc;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use bytes::Bytes;
use h2::server;
use http::{Response, StatusCode};
use tokio::net::TcpListener;

use super::machine::{Machine, Running};
use super::scene::{play, serves, until};
use crate::config::OriginHost;
use crate::model::sync::{
    CONTROL_NAME, Certificate, Delta, Down, JoinReply, KeyText, NodeDocument, Snapshot, TenantDocument, Up,
    frame, signed_bytes, signing,
};
use crate::node::sync::call::{CallError, Line};
use crate::node::sync::documents::Documents;
use crate::secret::hex;
use crate::tls::fixtures::Authority;
use crate::tls::{Identity, MutualAcceptor, MutualConnector};

/// Keys of a fleet, without a control plane.
struct Liar {
    authority: Authority,
    documents: Ed25519KeyPair,
}

impl Liar {
    fn new() -> Self {
        Self { authority: Authority::new(), documents: Ed25519KeyPair::generate().unwrap() }
    }

    /// A machine whose node belongs to it.
    fn machine(&self, port: u16) -> Machine {
        let machine = Machine::new("a1", port, "\"10.0.0.0/8\"");
        let (certificate, key) = self.authority.issue(&["a1"]);
        let fleet_key = signing::digits(self.documents.public_key().as_ref());
        let authority = self.authority.pem().to_owned();
        let reply = JoinReply { certificate, authority, fleet_key, ends_ms: 0 };
        machine.shelf().unwrap().join(&reply, &KeyText::new(key)).unwrap();
        machine
    }

    fn signature(&self, node: &str, generation: u64, text: &str) -> String {
        let bytes = signed_bytes(node, generation, &signing::hash_of(text));
        signing::digits(self.documents.sign(&bytes).as_ref())
    }

    fn snapshot(&self, node: &str, generation: u64, document: &NodeDocument) -> Down {
        let text = document.to_text();
        Down::Snapshot(Snapshot {
            generation,
            hash: signing::hash_of(&text),
            signature: self.signature(node, generation, &text),
            document: text,
        })
    }

    fn certificate(&self, fqdn: &str) -> Certificate {
        let (chain, key) = self.authority.issue(&[fqdn]);
        let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        Certificate { fingerprint: hex::encode(&identity.fingerprint()), chain, key: KeyText::new(key) }
    }
}

fn document(node: &str, tenants: &[(u32, Option<&Certificate>)]) -> NodeDocument {
    let tenants = tenants.iter().map(|(tenant, certificate)| TenantDocument {
        tenant: *tenant,
        fqdn: format!("t{tenant}.example.test"),
        addresses: vec![format!("10.1.0.{tenant}").parse().unwrap()],
        http_port: 80,
        https_port: 443,
        certificate: certificate.map(|it| it.fingerprint.clone()),
        origins: vec!["http://192.0.2.20".to_owned()],
        mode: "off".to_owned(),
        paranoia: None,
        contract: crate::model::sync::Contract::default(),
    });
    NodeDocument { node: node.to_owned(), tenants: tenants.collect(), ..NodeDocument::default() }
}

fn why(answer: Option<Up>) -> String {
    let Some(Up::Refused { why, .. }) = answer else { panic!("{answer:?}") };
    why
}

/// What a node does with documents, without a stream.
async fn documents(liar: &Liar, node: &Running) -> Documents {
    let mut documents = node.documents();
    documents.begin(&signing::digits(liar.documents.public_key().as_ref())).await;
    documents
}

#[test]
fn documents_are_believed_by_signature_node_and_age() {
    play(|| async {
        let liar = Liar::new();
        let node = liar.machine(1).start();
        let mut heard = documents(&liar, &node).await;
        let good = document("a1", &[(1, None)]);
        let staged = heard.hear(liar.snapshot("a1", 7, &good)).await;
        assert_eq!(staged, Some(Up::Staged { generation: 7 }));
        assert!(why(heard.hear(Down::Activate { generation: 8 }).await).contains("was not staged"));
        assert!(!serves(&node, "t1.example.test"), "not before it is told");
        assert_eq!(heard.hear(Down::Activate { generation: 7 }).await, Some(Up::Active { generation: 7 }));
        assert!(serves(&node, "t1.example.test"));
        assert!(why(heard.hear(Down::Activate { generation: 7 }).await).contains("was not staged"), "once");

        let Down::Snapshot(signed) = liar.snapshot("a1", 9, &good) else { unreachable!() };
        let other =
            Snapshot { document: signed.document.replace("192.0.2.20", "192.0.2.66"), ..signed.clone() };
        let rows = [
            ("older", liar.snapshot("a1", 6, &good), "older than generation 7"),
            (
                "another node's",
                liar.snapshot("a2", 8, &document("a2", &[])),
                "not what this fleet's control signed",
            ),
            ("of us for another", liar.snapshot("a2", 8, &good), "not what this fleet's control signed"),
            ("altered", Down::Snapshot(other), "not what this fleet's control signed"),
            (
                "renumbered",
                Down::Snapshot(Snapshot { generation: 10, ..signed }),
                "not what this fleet's control signed",
            ),
            ("nonsense", Liar::new().snapshot("a1", 9, &good), "not what this fleet's control signed"),
        ];
        for (name, down, expected) in rows {
            let why = why(heard.hear(down).await);
            assert!(why.contains(expected), "{name}: {why}");
        }
        // Signed for this node, and still not to be served.
        let foreign = document("a2", &[(1, None)]);
        assert_eq!(heard.hear(liar.snapshot("a1", 8, &foreign)).await, Some(Up::Staged { generation: 8 }));
        assert!(why(heard.hear(Down::Activate { generation: 8 }).await).contains("not for this one"));
        assert_eq!(node.generation(), 7);
        assert!(node.control().problem.unwrap().contains("not for this one"));
    });
}

#[test]
fn certificates_are_taken_by_fingerprint_and_only_those_asked_for() {
    play(|| async {
        let liar = Liar::new();
        let machine = liar.machine(1);
        let node = machine.start();
        let mut heard = documents(&liar, &node).await;
        let (one, other) = (liar.certificate("t1.example.test"), liar.certificate("t2.example.test"));
        let both = document("a1", &[(1, Some(&one)), (2, Some(&other))]);
        let mut wanted = vec![one.fingerprint.clone(), other.fingerprint.clone()];
        wanted.sort();
        let staged = heard.hear(liar.snapshot("a1", 3, &both)).await;
        assert_eq!(staged, Some(Up::Want { certificates: wanted.clone() }));
        assert!(
            why(heard.hear(Down::Activate { generation: 3 }).await).contains("not all of its certificates")
        );
        assert_eq!(heard.hear(Down::Certificate(liar.certificate("t3.example.test"))).await, None);
        assert_eq!(heard.hear(Down::Certificate(one.clone())).await, None, "one is missing");
        let false_one = Certificate { fingerprint: other.fingerprint.clone(), ..one.clone() };
        assert!(why(heard.hear(Down::Certificate(false_one)).await).contains("another than its name says"));

        let staged = heard.hear(liar.snapshot("a1", 4, &both)).await;
        assert_eq!(staged, Some(Up::Want { certificates: vec![other.fingerprint.clone()] }), "one is kept");
        let staged = heard.hear(Down::Certificate(other.clone())).await;
        assert_eq!(staged, Some(Up::Staged { generation: 4 }));
        assert_eq!(heard.hear(Down::Activate { generation: 4 }).await, Some(Up::Active { generation: 4 }));
        assert!(node.sites().iter().all(|(_, is_tls)| *is_tls));

        // What is of no use any more goes from the disk.
        let staged = heard.hear(liar.snapshot("a1", 5, &document("a1", &[(2, Some(&other))]))).await;
        assert_eq!(staged, Some(Up::Staged { generation: 5 }));
        heard.hear(Down::Activate { generation: 5 }).await;
        let shelf = machine.shelf().unwrap();
        assert!(shelf.identity(&one.fingerprint).is_err() && shelf.identity(&other.fingerprint).is_ok());
    });
}

#[test]
fn a_delta_comes_out_as_announced_or_all_is_asked_for() {
    play(|| async {
        let liar = Liar::new();
        let node = liar.machine(1).start();
        let mut heard = documents(&liar, &node).await;
        let before = document("a1", &[(1, None), (2, None)]);
        let after = document("a1", &[(2, None), (3, None)]);
        let delta = |from: &NodeDocument, hash: &str| {
            let text = after.to_text();
            Down::Delta(Delta {
                generation: 8,
                from: signing::hash_of(&from.to_text()),
                put: after.tenants.iter().filter(|it| it.tenant == 3).cloned().collect(),
                removed: vec![1],
                capacity: after.capacity,
                hash: hash.to_owned(),
                signature: liar.signature("a1", 8, &text),
            })
        };
        let hash = signing::hash_of(&after.to_text());
        assert_eq!(heard.hear(delta(&before, &hash)).await, Some(Up::Again), "nothing to apply it to");
        heard.hear(liar.snapshot("a1", 7, &before)).await;
        heard.hear(Down::Activate { generation: 7 }).await;
        assert_eq!(heard.hear(delta(&after, &hash)).await, Some(Up::Again), "of another document");
        assert_eq!(
            heard.hear(delta(&before, &"00".repeat(32))).await,
            Some(Up::Again),
            "comes out otherwise"
        );
        assert_eq!(heard.hear(delta(&before, &hash)).await, Some(Up::Staged { generation: 8 }));
        heard.hear(Down::Activate { generation: 8 }).await;
        assert_eq!(node.document(), Some(after.clone()));
    });
}

/// Answers `/sync` with bytes of its own, then says nothing more.
async fn says(liar: &Liar, listener: TcpListener, status: StatusCode, bytes: Vec<u8>) {
    let identity = liar.authority.identity(&[CONTROL_NAME]);
    let acceptor = MutualAcceptor::new(liar.authority.pem().as_bytes(), &identity).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, bytes) = (acceptor.clone(), bytes.clone());
        tokio::task::spawn_local(async move {
            let within = Duration::from_secs(30);
            let Ok((stream, _)) = acceptor.accept(stream, within).await else { return };
            let Ok(mut line) = server::handshake(stream).await else { return };
            let mut kept = Vec::new();
            while let Some(Ok((request, mut respond))) = line.accept().await {
                let head = Response::builder().status(status).body(()).unwrap();
                let mut out = respond.send_response(head, false).unwrap();
                out.send_data(Bytes::from(bytes.clone()), !status.is_success()).unwrap();
                kept.push((request, out));
            }
        });
    }
}

#[test]
fn a_control_that_is_cut_off_is_noticed() {
    play(|| async {
        let liar = Liar::new();
        let identity = liar.authority.identity(&[CONTROL_NAME]);
        let acceptor = MutualAcceptor::new(liar.authority.pem().as_bytes(), &identity).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let member = liar.machine(port).shelf().unwrap().membership().unwrap();
        let connector = MutualConnector::new(liar.authority.pem().as_bytes(), &member.identity).unwrap();
        let within = Duration::from_secs(30);
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            let (stream, _) = acceptor.accept(stream, within).await.unwrap();
            server::handshake(stream).await.unwrap()
        };
        let host = "127.0.0.1".parse().map(OriginHost::Address).unwrap();
        let (line, mut other) = tokio::join!(Line::open(&connector, &host, port), serve);
        let line = line.unwrap();
        let silence = line.silence_within(Duration::from_millis(1), Duration::from_secs(2));
        tokio::pin!(silence);
        // As long as the other side looks after its connection, pings are answered.
        tokio::select! {
            error = &mut silence => panic!("{error}"),
            _ = other.accept() => panic!("nothing is asked"),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        // Now nobody does, and nothing is closed.
        let noticed = tokio::time::timeout(within, silence).await.unwrap();
        assert!(matches!(noticed, CallError::Silent), "{noticed}");
        drop(other);
    });
}

#[test]
fn what_cannot_be_understood_ends_the_stream_with_a_sentence() {
    play(|| async {
        let liar = Rc::new(Liar::new());
        let refusal = br#"{"error":"this node is unknown: add it to the inventory"}"#;
        let last = frame::encode(&Down::Refused { error: "control is about to end".to_owned() }).unwrap();
        let rows = [
            ("too long", StatusCode::OK, vec![0x7f; 4], "a message of 2139062143 bytes, more than"),
            ("no JSON", StatusCode::OK, b"\0\0\0\x02no".to_vec(), "read a message"),
            ("another word", StatusCode::OK, b"\0\0\0\x0e{\"say\":\"jump\"}".to_vec(), "read a message"),
            ("refused", StatusCode::FORBIDDEN, refusal.to_vec(), "(403): this node is unknown"),
            ("refused at length", StatusCode::FORBIDDEN, vec![b'x'; 60_000], "control refuses (403)"),
            ("last word", StatusCode::OK, last, "control ended the stream: control is about to end"),
        ];
        for (name, status, bytes, expected) in rows {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let machine = liar.machine(listener.local_addr().unwrap().port());
            let served = Rc::clone(&liar);
            let task = tokio::task::spawn_local(async move { says(&served, listener, status, bytes).await });
            let node = machine.start();
            until(name, || node.control().problem.is_some()).await;
            let problem = node.control().problem.unwrap();
            assert!(problem.contains(expected), "{name}: {problem}");
            task.abort();
        }
    });
}

//! A node without a kernel and without visitors: it joins, stages, activates and keeps bans, and can be made to misbehave.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use http::Request;
use rcgen::{CertificateParams, KeyPair};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::world::{DEADLINE, World, name};
use crate::model::Wall;
use crate::model::sync::{
    BanKey, BanRecord, CONTROL_NAME, Down, Frames, Greeting, JOIN_PATH, JoinReply, JoinRequest, KeyText,
    NodeDocument, Refusal, RenewRequest, SYNC_PATH, Status, Up, VERSION, frame, signing,
};
use crate::tls::{Identity, MutualConnector};

/// A status and its sentence.
pub type Said = (u16, String);

/// An HTTP/2 connection.
pub struct Line {
    send: h2::client::SendRequest<Bytes>,
    task: JoinHandle<()>,
    frozen: Arc<Notify>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// What TLS says where it does not come about, which a client hears late.
    pub async fn open(connector: &MutualConnector, to: SocketAddr) -> Result<Self, String> {
        let tcp = TcpStream::connect(to).await.unwrap();
        let tls = connector.connect(tcp, CONTROL_NAME, DEADLINE).await.map_err(|error| error.to_string())?;
        let (send, connection) = h2::client::handshake(tls).await.map_err(|error| error.to_string())?;
        let frozen = Arc::new(Notify::new());
        let told = Arc::clone(&frozen);
        let task = tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                _ended = &mut connection => {}
                () = told.notified() => std::future::pending().await,
            }
        });
        Ok(Self { send, task, frozen })
    }

    pub async fn begin(
        &mut self,
        method: &str,
        path: &str,
    ) -> Result<(h2::client::ResponseFuture, SendStream<Bytes>), String> {
        let uri = format!("https://{CONTROL_NAME}{path}");
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        let mut ready = self.send.clone().ready().await.map_err(|error| error.to_string())?;
        ready.send_request(request, false).map_err(|error| error.to_string())
    }

    /// Waits until control closes it.
    pub async fn closed(mut self) {
        let _ = (&mut self.task).await;
    }

    /// One request and its answer.
    pub async fn ask(&mut self, method: &str, path: &str, body: Vec<u8>) -> Result<Vec<u8>, Said> {
        let (response, mut out) = self.begin(method, path).await.map_err(|error| (0, error))?;
        // Refused before it is read whole: the answer says so.
        let _ = out.send_data(body.into(), true);
        answer(response).await
    }
}

pub async fn answer(response: h2::client::ResponseFuture) -> Result<Vec<u8>, Said> {
    let response = timeout(DEADLINE, response).await.unwrap().map_err(|error| (0, error.to_string()))?;
    let (head, mut body) = response.into_parts();
    let mut all = Vec::new();
    while let Some(Ok(part)) = timeout(DEADLINE, body.data()).await.unwrap() {
        body.flow_control().release_capacity(part.len()).unwrap();
        all.extend_from_slice(&part);
    }
    match head.status.as_u16() {
        200 => Ok(all),
        status => Err((status, serde_json::from_slice::<Refusal>(&all).unwrap().error)),
    }
}

/// A key of the node's own, and a request for its certificate.
pub fn request() -> (String, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap(), key)
}

/// One node.
pub struct Node {
    pub name: String,
    pub reply: JoinReply,
    pub identity: Identity,
    pub served: Option<(u64, NodeDocument)>,
    staged: Option<(u64, NodeDocument)>,
    certificates: BTreeSet<String>,
    pub bans: BTreeMap<BanKey, BanRecord>,
    pub bans_seen: u64,
    /// Documents that came as changes only.
    pub deltas: usize,
    pub snapshots: usize,
}

impl Node {
    /// Joins with a token of this world.
    pub async fn join(world: &World, node: &str) -> Self {
        let token = world.authority.token(&name(node), DEADLINE, Wall::now()).await.unwrap();
        Self::join_with(world, node, &token).await.unwrap()
    }

    pub async fn join_with(world: &World, node: &str, token: &KeyText) -> Result<Self, Said> {
        let connector = MutualConnector::pinned(world.authority.fingerprint()).unwrap();
        let mut line = Line::open(&connector, world.address).await.unwrap();
        let (request, key) = request();
        let asked = JoinRequest { node: node.to_owned(), token: token.clone(), request };
        let reply = line.ask("POST", JOIN_PATH, serde_json::to_vec(&asked).unwrap()).await?;
        let reply: JoinReply = serde_json::from_slice(&reply).unwrap();
        Ok(Self::new(node, reply, &key))
    }

    pub fn new(node: &str, reply: JoinReply, key: &KeyPair) -> Self {
        let key = key.serialize_pem();
        let identity = Identity::from_pem(reply.certificate.as_bytes(), key.as_bytes()).unwrap();
        Self {
            name: node.to_owned(),
            reply,
            identity,
            served: None,
            staged: None,
            certificates: BTreeSet::new(),
            bans: BTreeMap::new(),
            bans_seen: 0,
            deltas: 0,
            snapshots: 0,
        }
    }

    pub async fn line(&self, world: &World) -> Result<Line, String> {
        let connector = MutualConnector::new(self.reply.authority.as_bytes(), &self.identity).unwrap();
        Line::open(&connector, world.address).await
    }

    pub async fn renew(&self, world: &World) -> Result<JoinReply, Said> {
        let mut line = self.line(world).await.map_err(|error| (0, error))?;
        let asked = RenewRequest { request: request().0 };
        let reply = line.ask("POST", "/renew", serde_json::to_vec(&asked).unwrap()).await?;
        Ok(serde_json::from_slice(&reply).unwrap())
    }

    pub fn hello(&self) -> Greeting {
        Greeting {
            version: VERSION,
            node: self.name.clone(),
            generation: self.served.as_ref().map_or(0, |it| it.0),
            hash: self.served.as_ref().map_or_else(String::new, |it| signing::hash_of(&it.1.to_text())),
            bans_seen: self.bans_seen,
            software: "waf of the tests".to_owned(),
        }
    }

    pub async fn connect(&self, world: &World) -> Result<Stream, Said> {
        self.greet(world, &Up::Hello(self.hello())).await
    }

    /// Opens a stream with any first word.
    pub async fn greet(&self, world: &World, first: &Up) -> Result<Stream, Said> {
        let mut line = self.line(world).await.map_err(|error| (0, error))?;
        let (response, mut out) = line.begin("POST", SYNC_PATH).await.map_err(|error| (0, error))?;
        out.send_data(frame::encode(first).unwrap().into(), false).map_err(|error| (0, error.to_string()))?;
        let response = timeout(DEADLINE, response).await.unwrap().map_err(|error| (0, error.to_string()))?;
        let (head, mut body) = response.into_parts();
        if head.status.as_u16() == 200 {
            return Ok(Stream { out, body, frames: Frames::default(), line });
        }
        let said = body.data().await.unwrap().unwrap();
        Err((head.status.as_u16(), serde_json::from_slice::<Refusal>(&said).unwrap().error))
    }

    /// What a good node does with a message; its answer.
    pub fn follow(&mut self, down: Down) -> Option<Up> {
        match down {
            Down::Snapshot(it) => {
                self.snapshots += 1;
                assert_eq!(it.hash, signing::hash_of(&it.document));
                Some(self.stage(it.generation, &it.document, &it.signature))
            }
            Down::Delta(delta) => {
                self.deltas += 1;
                match self.served.as_ref().and_then(|(_, from)| {
                    (signing::hash_of(&from.to_text()) == delta.from).then(|| delta.apply(from)).flatten()
                }) {
                    Some((_, text)) => Some(self.stage(delta.generation, &text, &delta.signature)),
                    None => Some(Up::Again),
                }
            }
            Down::Certificate(it) => {
                let identity = Identity::from_pem(it.chain.as_bytes(), it.key.expose().as_bytes()).unwrap();
                assert_eq!(signing::digits(&identity.fingerprint()), it.fingerprint);
                self.certificates.insert(it.fingerprint);
                self.staged_or_wants()
            }
            Down::Activate { generation } => {
                let staged = self.staged.take_if(|it| it.0 == generation).unwrap();
                let had = |tenant| self.served.as_ref().is_some_and(|it| it.1.tenant(tenant).is_some());
                if staged.1.tenants.iter().any(|it| !had(it.tenant)) {
                    self.bans_seen = 0;
                }
                self.served = Some(staged);
                Some(Up::Active { generation })
            }
            Down::Bans(bans) => {
                if bans.is_whole && bans.is_last {
                    // The tests' lists are of one part.
                    self.bans.clear();
                }
                bans.put.into_iter().for_each(|it| drop(self.bans.insert(it.key(), it)));
                bans.lifted.iter().for_each(|it| drop(self.bans.remove(&it.key())));
                if bans.is_last {
                    self.bans_seen = bans.revision;
                }
                None
            }
            Down::Refused { error } => panic!("control ends the stream: {error}"),
        }
    }

    fn stage(&mut self, generation: u64, text: &str, signature: &str) -> Up {
        assert!(signing::is_signed(&self.reply.fleet_key, &self.name, generation, text, signature));
        assert!(generation >= self.served.as_ref().map_or(0, |it| it.0), "back to {generation}");
        self.staged = Some((generation, NodeDocument::from_text(text).unwrap()));
        let wants = self.wants();
        if wants.is_empty() { Up::Staged { generation } } else { Up::Want { certificates: wants } }
    }

    fn wants(&self) -> Vec<String> {
        let staged = self.staged.iter().flat_map(|it| it.1.certificates());
        staged.filter(|it| !self.certificates.contains(*it)).map(str::to_owned).collect()
    }

    fn staged_or_wants(&self) -> Option<Up> {
        let generation = self.staged.as_ref()?.0;
        self.wants().is_empty().then_some(Up::Staged { generation })
    }

    pub fn serves(&self, tenant: u32) -> bool {
        self.served.as_ref().is_some_and(|it| it.1.tenant(tenant).is_some())
    }

    /// Lives until it is as asked, as a good node does.
    pub async fn live(&mut self, stream: &mut Stream, is: impl Fn(&Self) -> bool) {
        while !is(self) {
            let down = stream.hear().await.unwrap();
            if let Some(up) = self.follow(down) {
                stream.say(&up).await;
            }
        }
    }
}

/// An open stream.
pub struct Stream {
    pub out: SendStream<Bytes>,
    body: RecvStream,
    frames: Frames,
    line: Line,
}

impl Stream {
    pub async fn say(&mut self, up: &Up) {
        let mut bytes = Bytes::from(frame::encode(up).unwrap());
        while !bytes.is_empty() {
            self.out.reserve_capacity(bytes.len());
            let granted = std::future::poll_fn(|cx| self.out.poll_capacity(cx));
            // A stream that control has ended takes nothing; what it said last is still to be heard.
            let Some(Ok(granted)) = timeout(DEADLINE, granted).await.unwrap() else { return };
            let part = bytes.split_to(granted.min(bytes.len()));
            if self.out.send_data(part, false).is_err() {
                return;
            }
        }
    }

    /// The next message; none at the end.
    pub async fn hear(&mut self) -> Option<Down> {
        loop {
            if let Some(down) = self.frames.next().unwrap() {
                return Some(down);
            }
            let part = timeout(DEADLINE, self.body.data()).await.expect("control says something")?.ok()?;
            self.frames.push(&part);
            self.body.flow_control().release_capacity(part.len()).unwrap();
        }
    }

    /// Follows what is on its way until control is done with bans, which come last; how many documents came.
    pub async fn hear_nothing_more(&mut self, node: &mut Node) -> usize {
        let before = node.snapshots + node.deltas;
        while node.bans_seen == 0 {
            let down = self.hear().await.unwrap();
            if let Some(up) = node.follow(down) {
                self.say(&up).await;
            }
        }
        node.snapshots + node.deltas - before
    }

    /// Why control ends the stream; everything before is passed over.
    pub async fn last_word(&mut self) -> Option<String> {
        loop {
            if let Down::Refused { error } = self.hear().await? {
                return Some(error);
            }
        }
    }

    /// Stops reading the connection without closing it.
    pub fn freeze(&mut self) {
        self.line.frozen.notify_one();
    }

    pub async fn status(&mut self, is_ready: bool) {
        self.say(&Up::Status(Status { is_ready, ..Status::default() })).await;
    }
}

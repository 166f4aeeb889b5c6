//! The worker under test with its sites, and a client that speaks raw bytes.

use std::cell::RefCell;
use std::future::Future;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::timeout;

use super::origin::Origin;
use crate::config::OriginUrl;
use crate::config::origin_url::OriginHost;
use crate::engine::{Levels, MemoryCollections, RuleFile, RuleFiles, RuleSet, Settings};
use crate::event::Journal;
use crate::http::{BodyDecoder, Limits, Parsed, ResponseHead, ResponseParser};
use crate::model::{Carrier, Fqdn, Generation, Mode, NodeName, TenantId};
use crate::origin::Upstreams;
use crate::proxy::limits::{CONNECTIONS_MAX, Times};
use crate::proxy::worker::serve_within;
use crate::proxy::{
    Command, Exclusions, Flows, Listener, Lists, Observation, Site, Sites, Snapshot, WorkerContext,
};
use crate::telemetry::Metrics;
use crate::tls::fixtures::Authority;
use crate::tls::{Acceptor, HandshakeError, Shown, TlsStream};

/// No step of a test takes longer, or it fails.
pub const DEADLINE: Duration = Duration::from_secs(20);

const RULES: &str = r#"
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain
SecRule ARGS "@contains attack" "id:1,phase:2,deny,status:403,log,msg:'attack'"
SecRule REQUEST_URI "@contains dropme" "id:2,phase:1,drop,log"
SecRule REQUEST_URI "@contains redirectme" "id:3,phase:1,redirect:https://else.test/,status:302,log"
SecRule RESPONSE_HEADERS:X-Leak "@streq yes" "id:4,phase:3,deny,status:403,log"
SecRule RESPONSE_BODY "@contains secret" "id:5,phase:4,deny,status:403,log"
SecRule RESPONSE_HEADERS:X-Late "@streq yes" "id:6,phase:4,deny,status:403,log"
"#;

struct NoFiles;

impl RuleFiles for NoFiles {
    fn read(&self, _path: &str, _from: &str) -> io::Result<RuleFile> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn glob(&self, _pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// A running worker: site a.test (tenant 1) on 127.0.0.1, b.test (tenant 2) on 127.0.0.2, one origin for both.
pub struct Lab {
    pub origin: Origin,
    pub a: SocketAddr,
    pub b: SocketAddr,
    /// TLS of both sites on one address.
    pub tls: SocketAddr,
    pub authority: Authority,
    pub lists: Arc<ArcSwap<Lists>>,
    pub metrics: Arc<Metrics>,
    pub flows: Arc<Told>,
    pub commands: mpsc::Sender<Command>,
    pub observations: RefCell<mpsc::Receiver<Vec<Observation>>>,
    pub worker: RefCell<Option<JoinHandle<()>>>,
    journal: Journal,
    folder: PathBuf,
}

/// What the kernel half would have been told: whose connection it is, or that it is closed, by the client's port.
#[derive(Debug, Default)]
pub struct Told(pub Mutex<Vec<(u16, Option<TenantId>)>>);

impl Flows for Told {
    fn set(&self, client: SocketAddr, _service: SocketAddr, tenant: TenantId) -> bool {
        self.0.lock().expect("no panic").push((client.port(), Some(tenant)));
        true
    }

    fn remove(&self, client: SocketAddr, _service: SocketAddr) {
        self.0.lock().expect("no panic").push((client.port(), None));
    }
}

/// Runs a test on one thread, as a worker does, within the deadline.
pub fn lab<F: Future<Output = ()>>(change: impl Fn(&mut Site), test: impl FnOnce(Rc<Lab>) -> F) {
    lab_within(Times::default(), change, test);
}

/// [`lab`] with a worker that waits otherwise.
pub fn lab_within<F: Future<Output = ()>>(
    times: Times,
    change: impl Fn(&mut Site),
    test: impl FnOnce(Rc<Lab>) -> F,
) {
    lab_holding(CONNECTIONS_MAX, times, change, test);
}

/// [`lab_within`] with a worker that holds no more connections than this.
pub fn lab_holding<F: Future<Output = ()>>(
    connections_max: usize,
    times: Times,
    change: impl Fn(&mut Site),
    test: impl FnOnce(Rc<Lab>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let lab = Rc::new(Lab::start(connections_max, times, change).await);
        timeout(DEADLINE, test(lab)).await.expect("the test ends in time");
    });
}

impl Lab {
    async fn start(connections_max: usize, times: Times, change: impl Fn(&mut Site)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("waf-proxy-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let metrics = Arc::new(Metrics::default());
        let (requests, events) = (folder.join("requests.jsonl"), folder.join("events.jsonl"));
        let journal =
            Journal::open(Some(&requests), Some(&events), Arc::clone(&metrics) as _).expect("a journal");
        let origin = Origin::start().await;
        let rules = rules(RULES);
        let (listener_a, a) = listener("127.0.0.1");
        let (listener_b, b) = listener("127.0.0.2");
        let (listener_tls, tls) = listener("127.0.0.1");
        let authority = Authority::new();
        let shown = ["a.test", "b.test"].map(|name| Shown {
            fqdn: Fqdn::new(name).expect("a name"),
            addresses: vec![tls.ip()],
            identity: authority.identity(&[name]),
        });
        let acceptor = Acceptor::new(shown.into()).expect("certificates");
        let sites = [(1, "a.test", a), (2, "b.test", b)].map(|(tenant, fqdn, local)| {
            let mut site = site(tenant, fqdn, local, &rules, &origin);
            site.https_port = Some(tls.port());
            site.addresses.push(tls.ip());
            change(&mut site);
            Arc::new(site)
        });
        let snapshot = Snapshot {
            generation: Generation(1),
            node: NodeName::new("n1").expect("a name"),
            carrier: Carrier::new("carrier-a").expect("a name"),
            sites: Sites::new(sites.to_vec()),
            tls: Some(acceptor),
        };
        let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
        let (commands, inbox) = mpsc::channel(16);
        let (outbox, observations) = mpsc::channel(1024);
        let flows = Arc::new(Told::default());
        let context = WorkerContext {
            index: 0,
            connections_max,
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
            lists: Arc::clone(&lists),
            journal: journal.clone(),
            metrics: Arc::clone(&metrics),
            flows: Some(Arc::clone(&flows) as _),
            observations: outbox,
            commands: inbox,
        };
        let worker = tokio::task::spawn_local(serve_within(
            vec![listener_a, listener_b, listener_tls],
            context,
            times,
        ));
        let (observations, worker) = (RefCell::new(observations), RefCell::new(Some(worker)));
        Self {
            origin,
            a,
            b,
            tls,
            authority,
            lists,
            metrics,
            flows,
            commands,
            observations,
            worker,
            journal,
            folder,
        }
    }

    /// All lines of a log so far.
    pub fn lines(&self, log: &str) -> Vec<Value> {
        assert!(self.journal.flush(), "the journal is written");
        let text = std::fs::read_to_string(self.folder.join(log)).expect("a log");
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    pub fn events(&self) -> Vec<Value> {
        self.lines("events.jsonl")
    }

    /// Waits until that many events are there: some are told after the connection's end.
    pub async fn events_at_least(&self, count: usize) -> Vec<Value> {
        loop {
            let events = self.events();
            if events.len() >= count {
                return events;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until that many requests were observed.
    pub async fn observed(&self, count: usize) -> Vec<Observation> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let batch = poll_fn(|cx| self.observations.borrow_mut().poll_recv(cx)).await;
            seen.extend(batch.expect("a worker"));
        }
        seen
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.a, "127.0.0.1").await
    }

    /// TLS with this SNI.
    pub async fn tls_client(&self, sni: &str) -> Result<Client<TlsStream>, HandshakeError> {
        let stream = TcpStream::connect(self.tls).await.expect("the worker listens");
        let host = OriginHost::Name(Fqdn::new(sni).expect("a name"));
        let stream = self.authority.connector().connect(stream, &host, DEADLINE).await?;
        Ok(Client { stream, buffer: Vec::new() })
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, request: &str) -> Answer {
        let mut client = self.client().await;
        client.send(request.as_bytes()).await;
        client.answer(request.split(' ').next().unwrap_or_default()).await
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

/// Rules of a test's own.
pub fn rules(text: &str) -> Arc<RuleSet> {
    let files = [RuleFile { name: "test.conf".into(), text: text.into() }];
    Arc::new(RuleSet::compile(&files, &NoFiles).expect("rules"))
}

fn listener(address: &str) -> (Listener, SocketAddr) {
    let socket = std::net::TcpListener::bind((address, 0)).expect("a free port");
    socket.set_nonblocking(true).expect("a mode");
    let local = socket.local_addr().expect("an address");
    (Listener { socket }, local)
}

fn site(tenant: u64, fqdn: &str, local: SocketAddr, rules: &Arc<RuleSet>, origin: &Origin) -> Site {
    let url = OriginUrl::parse(&format!("http://{}", origin.address)).expect("a URL");
    Site {
        tenant: TenantId::new(tenant).expect("a tenant"),
        fqdn: Fqdn::new(fqdn).expect("a name"),
        default: false,
        addresses: vec![local.ip()],
        http_port: local.port(),
        https_port: None,
        mode: Mode::Block,
        rules: Arc::clone(rules),
        settings: Settings::new(Levels::default(), Some(false)),
        exclusions: Exclusions::default(),
        collections: Arc::new(MemoryCollections::default()),
        records_of: "1".into(),
        upstreams: Upstreams::new(vec![url], vec!["127.0.0.0/8".parse().expect("a net")]),
        trusted_proxies: Vec::new(),
        response_headers: vec![("X-Added".into(), "by-us".into())],
        allowance: Arc::default(),
    }
}

/// A raw connection.
pub struct Client<S = TcpStream> {
    pub stream: S,
    buffer: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub head: ResponseHead,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.status()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn field(&self, name: &str) -> Option<String> {
        self.head.fields().first(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

impl Client<TcpStream> {
    /// `source`: the address to come from.
    pub async fn connect(to: SocketAddr, source: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        let source: IpAddr = source.parse().expect("an address");
        socket.bind(SocketAddr::new(source, 0)).expect("a source");
        let stream = socket.connect(to).await.expect("the worker listens");
        stream.set_nodelay(true).expect("an option");
        Self { stream, buffer: Vec::new() }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the worker reads");
    }

    /// The next answer, interim ones not skipped.
    pub async fn answer(&mut self, method: &str) -> Answer {
        let mut parser = ResponseParser::new(Limits::default(), method);
        let head = loop {
            match parser.parse(&self.buffer).expect("a sound answer") {
                Parsed::Complete(head, taken) => {
                    self.buffer.drain(..taken);
                    break head;
                }
                Parsed::Partial => assert!(self.fill().await > 0, "closed before an answer"),
            }
        };
        let mut decoder = BodyDecoder::new(head.framing());
        let mut body = Vec::new();
        loop {
            let decoded = decoder.decode(&self.buffer).expect("a sound body");
            body.extend_from_slice(decoded.data);
            let consumed = decoded.consumed;
            self.buffer.drain(..consumed);
            if decoder.is_done() {
                break;
            }
            if consumed == 0 && self.fill().await == 0 {
                decoder.end().expect("a whole body");
                break;
            }
        }
        Answer { head, body }
    }

    /// Everything until the connection ends, a reset counting as the end.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await > 0 {}
        std::mem::take(&mut self.buffer)
    }

    async fn fill(&mut self) -> usize {
        timeout(DEADLINE, self.stream.read_buf(&mut self.buffer))
            .await
            .expect("an answer in time")
            .unwrap_or(0)
    }
}

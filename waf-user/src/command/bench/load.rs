//! Visitors of the node that is measured: as many as keep it busy, each with the next request when the last is answered.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use waf_user::config::OriginHost;
use waf_user::http::{BodyDecoder, Limits, Parsed, ResponseParser};
use waf_user::model::Fqdn;
use waf_user::tls::{Connector, TlsStream};

use super::origin::LARGE;
use super::subject::{SITE, Subject};

/// At each thread of visitors, of which there are as many as CPUs.
const VISITORS: usize = 16;
/// Connections and caches are warm after it.
const WARM: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Whatever browsers send, and a query for the rules to look at.
const REQUEST: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: ja,en;q=0.8\r\nAccept-Encoding: gzip, br\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Referer: https://bench.example.test/\r\nCookie: session=5f3a9c1e77; lang=ja\r\n\r\n";
const SMALL: &str = "/list?page=2&sort=price&category=shoes";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Small pages over kept TLS connections; counted: answers.
    Requests,
    /// A full TLS handshake for each small page; counted: answers.
    Handshakes,
    /// Large pages over kept TLS connections; counted: bytes of their bodies.
    Bandwidth,
}

/// In which part of a run the visitors are.
const WARMING: u8 = 0;
const COUNTING: u8 = 1;
const OVER: u8 = 2;

#[derive(Debug)]
struct Run {
    part: AtomicU8,
    done: AtomicU64,
    failed: AtomicU64,
}

/// Works for that long; what was done and the CPU time that the node took for it.
///
/// # Errors
/// Visitors are not answered, or the node has ended.
pub fn run(subject: &mut Subject, work: Work, within: Duration) -> Result<(u64, Duration), Box<dyn Error>> {
    let (done, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let run = Arc::new(Run { part: AtomicU8::new(WARMING), done, failed });
    let target = (subject.https, Arc::<str>::from(subject.certificate.as_str()));
    let threads = thread::available_parallelism()?.get();
    let visitors: Vec<_> = (0..threads)
        .map(|_| {
            let (run, target) = (Arc::clone(&run), target.clone());
            thread::spawn(move || visit_all(&run, work, &target))
        })
        .collect();
    thread::sleep(WARM);
    let before = subject.cpu();
    run.part.store(COUNTING, Relaxed);
    thread::sleep(within);
    let (done, after) = (run.done.load(Relaxed), subject.cpu());
    run.part.store(OVER, Relaxed);
    for visitor in visitors {
        visitor.join().map_err(|_panic| "a visitor has panicked")??;
    }
    let failed = run.failed.load(Relaxed);
    if failed > 0 {
        return Err(format!("{failed} requests were not answered with 200").into());
    }
    Ok((done, after?.saturating_sub(before?)))
}

/// All visitors of one thread.
fn visit_all(run: &Arc<Run>, work: Work, target: &(SocketAddr, Arc<str>)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let local = LocalSet::new();
    for _ in 0..VISITORS {
        let (run, (address, certificate)) = (Arc::clone(run), target.clone());
        local.spawn_local(async move { visit(&run, work, address, &certificate).await });
    }
    runtime.block_on(local);
    Ok(())
}

async fn visit(run: &Run, work: Work, address: SocketAddr, certificate: &str) {
    let path = if work == Work::Bandwidth { LARGE } else { SMALL };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {SITE}\r\n{REQUEST}");
    let mut kept = None;
    while run.part.load(Relaxed) != OVER {
        let asked = async {
            let mut stream = match kept.take() {
                Some(stream) => stream,
                None => open(address, certificate).await?,
            };
            let (len, closes) = ask(&mut stream, &request).await?;
            kept = (work != Work::Handshakes && !closes).then_some(stream);
            Some(len)
        };
        let answered = tokio::time::timeout(ANSWER_WITHIN, asked).await.ok().flatten();
        let is_counted = run.part.load(Relaxed) == COUNTING;
        match answered {
            Some(_) if !is_counted => {}
            Some(len) => {
                let done = if work == Work::Bandwidth { len } else { 1 };
                run.done.fetch_add(done, Relaxed);
            }
            // The last ones may meet the end.
            None if run.part.load(Relaxed) == OVER => {}
            None => {
                run.failed.fetch_add(1, Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// A connector of its own: nothing is resumed, every handshake is a full one.
async fn open(address: SocketAddr, certificate: &str) -> Option<TlsStream> {
    let connector = Connector::with_roots(certificate.as_bytes()).ok()?;
    let tcp = TcpStream::connect(address).await.ok()?;
    tcp.set_nodelay(true).ok()?;
    let host = OriginHost::Name(Fqdn::new(SITE).ok()?);
    connector.connect(tcp, &host, ANSWER_WITHIN).await.ok()
}

/// Bytes of the body of a good answer, and whether the node closes after it.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> Option<(u64, bool)> {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut parser = ResponseParser::new(Limits::default(), "GET");
    let mut bytes = Vec::with_capacity(64 * 1024);
    let (head, consumed) = loop {
        if let Parsed::Complete(head, consumed) = parser.parse(&bytes).ok()? {
            break (head, consumed);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    bytes.drain(..consumed);
    let (mut body, mut len) = (BodyDecoder::new(head.framing()), 0);
    loop {
        let decoded = body.decode(&bytes).ok()?;
        len += decoded.data.len() as u64;
        let consumed = decoded.consumed;
        bytes.drain(..consumed);
        if body.is_done() {
            return (head.status() == 200).then_some((len, !head.keeps_alive()));
        }
        if consumed == 0 && stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

//! A customer's server for the tests: keeps what it was asked, answers by the path.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::http::{BodyDecoder, Limits, Parsed, RequestHead, parse_request_head};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The raw head.
    pub head: String,
    pub body: Vec<u8>,
}

pub struct Origin {
    pub address: SocketAddr,
    state: Rc<State>,
}

#[derive(Default)]
struct State {
    asked: RefCell<Vec<Asked>>,
    connections: Cell<usize>,
    /// Answers to /wait are held until this is told.
    go: Notify,
    waiting: Notify,
}

impl Origin {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Rc::new(State::default());
        let shared = Rc::clone(&state);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.set(shared.connections.get() + 1);
                tokio::task::spawn_local(serve(Rc::clone(&shared), stream));
            }
        });
        Self { address, state }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.borrow().clone()
    }

    pub fn connections(&self) -> usize {
        self.state.connections.get()
    }

    /// Lets one request to /wait be answered.
    pub fn release(&self) {
        self.state.go.notify_one();
    }

    /// Waits until a request to /wait is here.
    pub async fn reached(&self) {
        self.state.waiting.notified().await;
    }
}

async fn serve(state: Rc<State>, mut stream: TcpStream) {
    let mut buffer = Vec::new();
    let mut served = 0;
    loop {
        let (head, raw) = loop {
            let parsed = parse_request_head(&buffer, &Limits::default()).expect("we send sound heads");
            if let Parsed::Complete(head, taken) = parsed {
                let raw = String::from_utf8_lossy(&buffer[..taken]).into_owned();
                buffer.drain(..taken);
                break (head, raw);
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        served += 1;
        if head.path() == "/die" && served > 1 || head.path() == "/always-die" {
            return;
        }
        if head.path() == "/early" {
            let _sent =
                stream.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nbig!").await;
            return;
        }
        let Some(body) = read_body(&mut stream, &mut buffer, &head).await else { return };
        state.asked.borrow_mut().push(Asked { head: raw, body: body.clone() });
        if head.path() == "/wait" {
            state.waiting.notify_one();
            state.go.notified().await;
        }
        let (bytes, close) = answer(&head, &body);
        if stream.write_all(&bytes).await.is_err() || close {
            return;
        }
    }
}

async fn read_body(stream: &mut TcpStream, buffer: &mut Vec<u8>, head: &RequestHead) -> Option<Vec<u8>> {
    let mut decoder = BodyDecoder::new(head.framing());
    let mut body = Vec::new();
    while !decoder.is_done() {
        let decoded = decoder.decode(buffer).expect("we send sound bodies");
        body.extend_from_slice(decoded.data);
        let consumed = decoded.consumed;
        buffer.drain(..consumed);
        if consumed == 0 && stream.read_buf(buffer).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    Some(body)
}

/// The answer's bytes, and whether the connection ends with it.
fn answer(head: &RequestHead, body: &[u8]) -> (Vec<u8>, bool) {
    let (text, close): (&str, bool) = match head.path() {
        "/chunked" => (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: r\r\n\r\n",
            false,
        ),
        "/until-close" => ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil close", true),
        "/204" => ("HTTP/1.1 204 No Content\r\n\r\n", false),
        "/304" => ("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"a\"\r\n\r\n", false),
        "/interim" => (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            false,
        ),
        "/hop" => (
            "HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Added: origin\r\nX-End: 1\r\nContent-Length: 2\r\n\r\nok",
            false,
        ),
        "/both-lengths" => {
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true)
        }
        "/junk" => ("this is no HTTP at all\r\n\r\n", true),
        "/switch" => ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", true),
        "/short" => ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", true),
        "/extra" => (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
            false,
        ),
        "/leak" => ("HTTP/1.1 200 OK\r\nX-Leak: yes\r\nContent-Length: 2\r\n\r\nok", false),
        "/late" => ("HTTP/1.1 200 OK\r\nX-Late: yes\r\nContent-Length: 2\r\n\r\nok", false),
        "/secret" => {
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nthe secret", false)
        }
        "/plain" => (
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
            false,
        ),
        "/big" => {
            let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n".to_vec();
            bytes.resize(bytes.len() + 4_000_000, b'b');
            return (bytes, false);
        }
        _ => {
            let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
            if head.method() != "HEAD" {
                bytes.extend_from_slice(body);
            }
            return (bytes, false);
        }
    };
    (text.as_bytes().to_vec(), close)
}

//! Visitors that keep their connections: request after request on each, and a strict account of every one that was not
//! answered. A connection that is told of its end (`Connection: close`) is no loss; one that just ends is.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// An answer takes milliseconds; a node that is silent for so long has lost the request.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Below the node's own bound: the client opens a new connection before the node asks for it.
const REQUESTS_OF_A_CONNECTION: u32 = 300;
/// Between two requests of a visitor: the machine is there for the node, too.
const THINK: Duration = Duration::from_millis(2);

/// What became of all requests of a load.
#[derive(Debug, Default)]
pub struct Tally {
    pub answered: u64,
    /// Connections ended by `Connection: close`.
    pub told: u64,
    /// Requests without a whole answer of status 200, each with the reason.
    pub lost: Vec<String>,
}

/// Visitors under way.
pub struct Load {
    stop: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Tally>>,
}

impl Load {
    /// `enter` is called once on each visitor's thread, to move it into a namespace.
    pub fn start(
        visitors: usize,
        host: &str,
        targets: &[SocketAddr],
        enter: impl Fn() + Clone + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let visitor = |number: usize| {
            let (stop, host) = (Arc::clone(&stop), host.to_owned());
            let target = targets[number % targets.len()];
            let enter = enter.clone();
            thread::spawn(move || {
                enter();
                visit(&stop, &host, target)
            })
        };
        let visitors = (0..visitors).map(visitor).collect();
        Self { stop, visitors }
    }

    /// Ends all visitors and adds up.
    pub fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = Tally::default();
        for visitor in self.visitors {
            let Tally { answered, told, lost } = visitor.join().expect("a visitor ends well");
            sum.answered += answered;
            sum.told += told;
            sum.lost.extend(lost);
        }
        sum
    }
}

fn visit(stop: &AtomicBool, host: &str, target: SocketAddr) -> Tally {
    let mut tally = Tally::default();
    let start = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let mut connection = match Connection::open(target) {
            Ok(connection) => connection,
            Err(error) => {
                tally.lost.push(format!("{:?}: connect: {error}", start.elapsed()));
                thread::sleep(THINK);
                continue;
            }
        };
        for number in 0..REQUESTS_OF_A_CONNECTION {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            match connection.ask(host, "/") {
                Ok(Answer { status: 200, closes }) => {
                    tally.answered += 1;
                    if closes {
                        tally.told += 1;
                        break;
                    }
                }
                Ok(Answer { status, .. }) => {
                    tally.lost.push(format!("{:?}: request {number}: status {status}", start.elapsed()));
                    break;
                }
                Err(error) => {
                    tally.lost.push(format!("{:?}: request {number}: {error}", start.elapsed()));
                    break;
                }
            }
            thread::sleep(THINK);
        }
    }
    tally
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub closes: bool,
}

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// # Errors
    /// Nobody listens, or nobody answers.
    pub fn open(target: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&target, ANSWER_WITHIN)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// # Errors
    /// The connection broke.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// A GET and its answer.
    ///
    /// # Errors
    /// No whole answer.
    pub fn ask(&mut self, host: &str, target: &str) -> io::Result<Answer> {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
        self.answer()
    }

    /// The next answer; bodies have a length here.
    ///
    /// # Errors
    /// The connection ended before its end.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let head_len = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_len]).to_ascii_lowercase();
        let field = |name: &str| {
            head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
        };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let length: usize = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let closes = field("connection") == Some("close");
        while self.buffer.len() < head_len + length {
            self.fill()?;
        }
        self.buffer.drain(..head_len + length);
        Ok(Answer { status, closes })
    }

    /// Whether the other side has ended the connection; waits for it.
    pub fn is_ended(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
        }
        self.buffer.extend_from_slice(&chunk[..read]);
        Ok(())
    }
}

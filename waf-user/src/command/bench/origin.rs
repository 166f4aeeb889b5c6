//! An origin on a loopback address: a small page, and a large one at [`LARGE`]. Knows nothing of HTTP but where a head ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where the large page is.
pub const LARGE: &str = "/large";
/// Bytes of a page of text as most are, without its pictures.
const SMALL_LEN: usize = 4 * 1024;
/// Bytes of a picture or a piece of a film: heads weigh nothing beside it.
const LARGE_LEN: usize = 1024 * 1024;
/// Of a head; ours come from our own node.
const HEAD_LEN_MAX: usize = 64 * 1024;

/// Runs as long as the process.
pub struct Origin(SocketAddr);

impl Origin {
    /// # Errors
    /// No port, or no thread.
    pub fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("origin".into()).spawn(move || runtime.block_on(serve(listener)))?;
        Ok(Self(address))
    }

    pub const fn address(&self) -> SocketAddr {
        self.0
    }
}

async fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let (small, large) = (Arc::new(page(SMALL_LEN)), Arc::new(page(LARGE_LEN)));
    loop {
        let (stream, _) = listener.accept().await?;
        let (small, large) = (Arc::clone(&small), Arc::clone(&large));
        tokio::spawn(async move {
            // The node closes when it has enough.
            let _closed = answer(stream, &small, &large).await;
        });
    }
}

fn page(len: usize) -> Vec<u8> {
    let text = "All is well on this page, and there is more of it. ";
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len}\r\n\r\n").into_bytes();
    bytes.extend(text.bytes().cycle().take(len));
    bytes
}

/// Requests have no bodies here.
async fn answer(mut stream: TcpStream, small: &[u8], large: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let asks_large = format!("GET {LARGE} ").into_bytes();
    let mut seen = Vec::new();
    loop {
        while let Some(at) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            let page = if seen.starts_with(&asks_large) { large } else { small };
            stream.write_all(page).await?;
            seen.drain(..at + 4);
        }
        if seen.len() > HEAD_LEN_MAX || stream.read_buf(&mut seen).await? == 0 {
            return Ok(());
        }
    }
}

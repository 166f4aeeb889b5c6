//! The read-only listener for operators and monitoring: /metrics, /healthz, /readyz. It changes nothing; commands go
//! over control.sock.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::http::{Limits, Parsed, parse_request_head};

/// Scrapers, a probe and a person with curl.
const CLIENTS_MAX: usize = 32;
/// From accept to the last byte; a scrape takes milliseconds.
const CLIENT_WITHIN: Duration = Duration::from_secs(5);

/// What the pages say.
pub trait Pages {
    /// OpenMetrics text.
    fn metrics(&self) -> String;
    /// Whether all tenants of the snapshot are served.
    fn is_ready(&self) -> bool;
}

/// Serves for ever, one request a connection. Call within a `LocalSet`.
pub async fn serve(listener: TcpListener, pages: Rc<dyn Pages>) {
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: the next accept would fail as fast.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let pages = Rc::clone(&pages);
        tokio::task::spawn_local(async move {
            // Who hangs up or dawdles gets nothing; there is nobody to tell.
            let _ = tokio::time::timeout(CLIENT_WITHIN, serve_one(stream, pages.as_ref())).await;
            drop(place);
        });
    }
}

async fn serve_one(mut stream: TcpStream, pages: &dyn Pages) -> io::Result<()> {
    let Some(answer) = read_and_answer(&mut stream, pages).await? else { return Ok(()) };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Nothing where the client left before its head was complete.
async fn read_and_answer(stream: &mut TcpStream, pages: &dyn Pages) -> io::Result<Option<String>> {
    let limits = Limits::default();
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let len = stream.read(&mut chunk).await?;
        if len == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(chunk.get(..len).unwrap_or(&[]));
        // The parser's own limits end a head that never ends.
        match parse_request_head(&bytes, &limits) {
            Ok(Parsed::Complete(head, _)) => return Ok(Some(answer(head.method(), head.target(), pages))),
            Ok(Parsed::Partial) => {}
            Err(_violation) => {
                return Ok(Some(response("400 Bad Request", "text/plain", "bad request\n", true)));
            }
        }
    }
}

fn answer(method: &str, target: &str, pages: &dyn Pages) -> String {
    let with_body = method != "HEAD";
    let plain = |status, text| response(status, "text/plain; charset=utf-8", text, with_body);
    let path = target.split('?').next().unwrap_or(target);
    if !matches!(path, "/metrics" | "/healthz" | "/readyz") {
        return plain("404 Not Found", "/metrics, /healthz, /readyz\n");
    }
    if !matches!(method, "GET" | "HEAD") {
        return plain("405 Method Not Allowed", "this listener only reads\n");
    }
    match path {
        "/metrics" => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            response("200 OK", kind, &pages.metrics(), with_body)
        }
        "/readyz" if !pages.is_ready() => plain("503 Service Unavailable", "not ready\n"),
        "/readyz" => plain("200 OK", "ready\n"),
        _ => plain("200 OK", "alive\n"),
    }
}

fn response(status: &str, kind: &str, body: &str, with_body: bool) -> String {
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let len = body.len();
    let shown = if with_body { body } else { "" };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n{allow}Connection: close\r\n\
         Cache-Control: no-store\r\n\r\n{shown}"
    )
}

#[cfg(test)]
mod tests;

//! Visitors: the curl program in the client's namespace, one process a request, as any visitor would be.

use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::netns::Namespace;
use crate::{interrupt, process};

/// Of a whole request: the lab answers in milliseconds.
const REQUEST: Duration = Duration::from_secs(10);
/// Of a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Exit codes of curl (curl(1)): no connection, time over, nothing received, connection broken.
const UNREACHABLE: [i32; 5] = [7, 28, 35, 52, 56];

/// Plain or TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// What to send, and to whom.
#[derive(Clone, Debug)]
pub struct Request {
    pub scheme: Scheme,
    pub fqdn: String,
    pub address: IpAddr,
    pub source: Option<IpAddr>,
    pub method: String,
    /// Path and query, sent as they are.
    pub target: String,
    pub headers: Vec<String>,
    pub body: Option<String>,
    pub connect_within: Duration,
}

impl Request {
    pub fn get(scheme: Scheme, fqdn: &str, address: IpAddr, target: &str) -> Self {
        Self {
            scheme,
            fqdn: fqdn.to_owned(),
            address,
            source: None,
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
            connect_within: CONNECT,
        }
    }

    /// From an address of the client's other than the usual one.
    pub fn from(mut self, source: IpAddr) -> Self {
        self.source = Some(source);
        self
    }

    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect_within = time;
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// From before curl was started to its end: some milliseconds are curl's own.
    pub took: Duration,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value; names in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

/// Visitors of the lab.
#[derive(Clone, Debug)]
pub struct Client {
    namespace: Rc<Namespace>,
    authority: PathBuf,
}

impl Client {
    pub fn new(namespace: Rc<Namespace>, authority: PathBuf) -> Self {
        Self { namespace, authority }
    }

    /// The file of the certificate authority that visitors trust.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// Sends and receives. `None`: nobody answered, or the connection was cut.
    ///
    /// # Errors
    /// curl cannot be started, complains of something else (a certificate, say), or the work is to stop.
    pub fn send(&self, request: &Request) -> Result<Option<Answer>> {
        self.begin(request)?.finish()
    }

    /// Sends, and leaves the waiting to the caller.
    ///
    /// # Errors
    /// curl cannot be started, or the work is to stop.
    pub fn begin(&self, request: &Request) -> Result<Pending> {
        interrupt::check()?;
        let mut curl = self.curl(request);
        let line = process::line(&curl);
        let child = curl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("start {line}"))?;
        Ok(Pending { child, line, start: Instant::now() })
    }

    /// The same where no answer is a failure.
    ///
    /// # Errors
    /// As [`Client::send`], and nobody answered.
    pub fn answer(&self, request: &Request) -> Result<Answer> {
        let answer = self.begin(request)?.finish_or_why()?;
        answer.map_err(|why| {
            let Request { scheme, fqdn, address, target, .. } = request;
            anyhow!("no answer from {}://{fqdn}{target} at {address}: {why}", scheme.name())
        })
    }

    fn curl(&self, request: &Request) -> std::process::Command {
        let Request { scheme, fqdn, address, .. } = request;
        let mut curl = self.namespace.command("curl");
        // -q first: no .curlrc. The target goes out as it stands.
        curl.args(["-q", "-sS", "--include", "--http1.1", "--path-as-is", "--globoff", "--noproxy", "*"]);
        curl.args(["--max-time", &seconds(REQUEST), "--connect-timeout", &seconds(request.connect_within)]);
        let shown = match address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        curl.args(["--resolve", &format!("{fqdn}:{}:{shown}", scheme.port())]);
        curl.arg("--cacert").arg(&self.authority);
        if let Some(source) = request.source {
            curl.args(["--interface", &source.to_string()]);
        }
        if request.method == "HEAD" {
            curl.arg("--head");
        } else {
            curl.args(["--request", &request.method]);
        }
        for header in &request.headers {
            curl.args(["--header", header]);
        }
        if let Some(body) = &request.body {
            curl.args(["--data-raw", body]);
        }
        curl.arg(format!("{}://{fqdn}{}", scheme.name(), request.target));
        curl
    }
}

/// A request under way. Given up on drop: no curl outlives the lab.
#[derive(Debug)]
pub struct Pending {
    child: Child,
    line: String,
    start: Instant,
}

impl Pending {
    /// Whether curl has ended.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn is_done(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn finish(self) -> Result<Option<Answer>> {
        Ok(self.finish_or_why()?.ok())
    }

    /// The same with what curl says where nobody answered.
    fn finish_or_why(mut self) -> Result<Result<Answer, String>> {
        let (mut body, mut complaint) = (Vec::new(), Vec::new());
        // One after the other: what curl complains of fits into a pipe.
        self.child.stdout.take().context("read curl's output")?.read_to_end(&mut body)?;
        self.child.stderr.take().context("read curl's complaint")?.read_to_end(&mut complaint)?;
        let status = self.child.wait()?;
        interrupt::check()?;
        match status.code() {
            Some(0) => parse(&body, self.start.elapsed()).map(Ok),
            Some(code) if UNREACHABLE.contains(&code) => {
                Ok(Err(String::from_utf8_lossy(&complaint).trim().to_owned()))
            }
            _ => bail!("{}: {}", self.line, String::from_utf8_lossy(&complaint).trim()),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // Not waited for yet, so it is still ours.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Head and body as `curl --include` writes them; interim answers (100) are skipped.
fn parse(bytes: &[u8], took: Duration) -> Result<Answer> {
    let mut rest = bytes;
    loop {
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n");
        let (head, body) = end.and_then(|end| rest.split_at_checked(end + 4)).unwrap_or((rest, &[]));
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse::<u16>().ok());
        let Some(status) = status else { bail!("curl wrote no status line") };
        if (100..200).contains(&status) {
            rest = body;
            continue;
        }
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        return Ok(Answer { status, headers, body: body.to_owned(), took });
    }
}

#[cfg(test)]
mod tests;

//! Why a request came to nothing, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::ControlUrl;
use crate::control::api::words::Problem;
use crate::event::printable;
use crate::tls::{HandshakeError, TlsError};

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(
        "--control {text:?}: {reason}; write https://HOST:PORT, and http:// only for 127.0.0.1, [::1] or localhost"
    )]
    Url { text: String, reason: String },
    #[error(
        "--control {text:?} would send the token over the network in the clear: write https://, and --ca FILE for a CA of your own"
    )]
    Clear { text: String },
    #[error("read the token from {}", path.display())]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("{} can be read by everybody: chmod 600 it, and revoke the token if others were on this machine", path.display())]
    TokenOpen { path: PathBuf },
    #[error("{} holds no token: one line of visible characters", path.display())]
    Token { path: PathBuf },
    #[error("use the certificates of --ca (is it a PEM file, such as authority.pem of waf control?)")]
    Roots { source: TlsError },
    #[error("start a runtime")]
    Runtime { source: io::Error },
    #[error("connect to {url} (does waf control run there?)")]
    Connect { url: ControlUrl, source: io::Error },
    #[error("connect to {url}: no answer within {} s (does a firewall stand between?)", within.as_secs_f32())]
    ConnectTime { url: ControlUrl, within: Duration },
    #[error("open TLS to {url} (is --ca the CA of its certificate, and is it issued for this name?)")]
    Handshake { url: ControlUrl, source: HandshakeError },
    #[error(
        "exchange a request with {url} (if it was to change something, look whether it did: it may have been heard)"
    )]
    Exchange { url: ControlUrl, source: hyper::Error },
    #[error("{url} has not answered within {} s: if it was to change something, look whether it did", within.as_secs_f32())]
    AnswerTime { url: ControlUrl, within: Duration },
    #[error("the answer of {url} is longer than {max} bytes")]
    AnswerLength { url: ControlUrl, max: usize },
    #[error("{path:?} is no path of a request")]
    Path { path: String, source: http::Error },
    #[error("write the request to {path}")]
    Question { path: String, source: serde_json::Error },
    #[error("understand the answer of {path} (are waf control and this waf of the same version?)")]
    Answer { path: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(transparent)]
    Refused(Box<Refused>),
}

/// What the control plane says when it does not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// From the status line.
    pub status: u16,
    pub path: String,
    /// None: what answered says it in another way, and may be no control plane at all.
    pub problem: Option<Problem>,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = &self.problem {
            let text = problem.to_string();
            let mut lines = text.lines().map(printable);
            f.write_str(&lines.next().unwrap_or_default())?;
            lines.try_for_each(|line| write!(f, "\n{line}"))?;
        } else {
            write!(f, "refused with status {} on {}", self.status, printable(&self.path))?;
        }
        match (self.status, &self.problem) {
            (401, _) => f.write_str("\n  is it the right --token-file, and its token of this control plane?"),
            (_, None) => f.write_str(
                "\n  is this the address of waf control, and is it of the same version as this waf?",
            ),
            _ => Ok(()),
        }
    }
}

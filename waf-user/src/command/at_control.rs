//! `--control`, `--token-file` and `--ca` -> a client of the control plane.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use waf_user::control::api::words::{RoleView, Whoami};
use waf_user::control::client::{Client, ControlUrl, Limits, read_token};

/// How to reach the control plane.
#[derive(Args)]
pub struct AtControl {
    /// Where waf control listens: https://HOST:PORT
    #[arg(long, value_name = "URL", env = "WAF_CONTROL")]
    control: ControlUrl,
    #[command(flatten)]
    access: Access,
}

/// What opens the control plane.
#[derive(Args)]
pub struct Access {
    /// File with the token, readable by you alone
    #[arg(long, value_name = "FILE", env = "WAF_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// PEM file with the CA of the control plane's certificate; none: those that browsers trust
    #[arg(long, value_name = "FILE", env = "WAF_CA_FILE")]
    ca: Option<PathBuf>,
}

impl AtControl {
    pub fn client(&self) -> Result<Client, Box<dyn Error>> {
        self.access.client(&self.control)
    }
}

impl Access {
    pub fn client(&self, control: &ControlUrl) -> Result<Client, Box<dyn Error>> {
        let path = self.token_file.as_deref().ok_or(
            "no token: name its file with --token-file or WAF_TOKEN_FILE (waf control writes an operator's first one to \
             operator.token in its data directory)",
        )?;
        let token = read_token(path)?;
        let ca = match &self.ca {
            Some(path) => {
                Some(std::fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))?)
            }
            None => None,
        };
        Ok(Client::new(control.clone(), ca.as_deref(), token, Limits::default())?)
    }
}

/// Whether the token is an operator's, who is shown nodes and reasons.
pub fn is_operator(client: &mut Client) -> Result<bool, Box<dyn Error>> {
    let whoami: Whoami = client.get("/v1/whoami")?;
    Ok(whoami.token.role == RoleView::Operator)
}

/// A text as one segment of a path or value of a query (RFC 3986 §2.1).
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _never_fails = write!(out, "%{byte:02X}");
        }
    }
    out
}

//! The hearing sheets that the fleet's customer hands in, and the inventory that its operator applies, as texts. What
//! becomes of them is the control plane's matter.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::topology::{ORIGIN, Seat};
use crate::lab::Mode;
use crate::lab::certificates::SiteFiles;
use crate::lab::origin;
use crate::lab::settings::{ONE, SHADOW, SHOP, WWW};

/// What a site asks for.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    pub fqdn: &'static str,
    pub requests_s: u64,
    pub mbit_s: u64,
    pub mode: Mode,
    /// The peak of handshakes, where there is TLS.
    pub handshakes_s: Option<u64>,
}

/// What the customer begins with. SHOP is plain HTTP at first. The peaks are such that WWW nearly fills the one node
/// that has room for it at each carrier, SHOP gets the other one's address, and ONE and SHADOW share the third's.
pub const SHEETS: [Sheet; 4] = [
    Sheet { fqdn: WWW, requests_s: 1500, mbit_s: 200, mode: Mode::Block, handshakes_s: Some(300) },
    Sheet { fqdn: SHOP, requests_s: 100, mbit_s: 50, mode: Mode::Block, handshakes_s: None },
    Sheet { fqdn: ONE, requests_s: 50, mbit_s: 20, mode: Mode::Block, handshakes_s: Some(20) },
    Sheet { fqdn: SHADOW, requests_s: 50, mbit_s: 20, mode: Mode::Detect, handshakes_s: Some(20) },
];

impl Sheet {
    /// The same site with other peaks.
    pub const fn with(self, requests_s: u64, handshakes_s: Option<u64>) -> Self {
        Self { requests_s, handshakes_s, ..self }
    }

    /// The sheet as the customer writes it, with the certificate's chain and key where it has TLS.
    ///
    /// # Errors
    /// The certificate cannot be read.
    pub fn text(&self, certificate: &SiteFiles) -> Result<String> {
        let Self { fqdn, requests_s, mbit_s, mode, handshakes_s } = self;
        let mut text = format!(
            "fqdn = {fqdn:?}\norigins = [\"http://{ORIGIN}:{}\"]\n\n[peak]\nrequests_s = {requests_s}\nmbit_s = {mbit_s}\n",
            origin::PORT
        );
        // Writing to a String cannot fail.
        if let Some(handshakes_s) = handshakes_s {
            let _ = writeln!(text, "handshakes_s = {handshakes_s}");
        }
        let _ = write!(text, "\n[options]\nmode = {:?}\n", mode.name());
        if handshakes_s.is_some() {
            let read =
                |path| fs::read_to_string(path).with_context(|| format!("read the certificate of {fqdn}"));
            let (chain, key) = (read(&certificate.certificate)?, read(&certificate.key)?);
            let _ = write!(text, "\n[tls]\nchain = \"\"\"\n{chain}\"\"\"\nkey = \"\"\"\n{key}\"\"\"\n");
        }
        Ok(text)
    }
}

/// What the nodes of each carrier are good for. The first has most room and most addresses, the third none to give away.
struct Size {
    requests_s: u64,
    mbit_s: u64,
    handshakes_s: u64,
    pool_len: u8,
}

const SIZES: [Size; 3] = [
    Size { requests_s: 2000, mbit_s: 2000, handshakes_s: 1000, pool_len: 30 },
    Size { requests_s: 500, mbit_s: 500, handshakes_s: 250, pool_len: 31 },
    Size { requests_s: 500, mbit_s: 500, handshakes_s: 250, pool_len: 32 },
];

impl Seat {
    /// The networks of its service addresses, which node.toml and the inventory must agree on.
    pub fn prefixes(self) -> [String; 2] {
        let len = self.size().pool_len;
        [format!("{}/{len}", self.service(0)), format!("{}/64", self.service6())]
    }

    fn size(self) -> &'static Size {
        let [first, second, third] = &SIZES;
        match self.number {
            1 => first,
            2 => second,
            _ => third,
        }
    }
}

/// The inventory of the nodes with these names.
pub fn inventory<'a>(nodes: impl IntoIterator<Item = (Seat, &'a str)>) -> String {
    let mut text = String::new();
    for (seat, name) in nodes {
        let Size { requests_s, mbit_s, handshakes_s, .. } = seat.size();
        let [v4, _] = seat.prefixes();
        let region = region(seat);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[[node]]\nname = {name:?}\ncarrier = {:?}\nregion = {region:?}\n\
             capacity = {{ requests_s = {requests_s}, mbit_s = {mbit_s}, handshakes_s = {handshakes_s} }}\n\
             ipv4 = [{v4:?}]\nipv6 = \"{}/96\"\nsources = [\"{}\"]\n\n",
            seat.carrier.name(),
            seat.service6(),
            seat.own(),
        );
    }
    text
}

/// Where an operator says that a node stands.
pub fn region(seat: Seat) -> &'static str {
    if seat.number == 1 { "tokyo" } else { "osaka" }
}

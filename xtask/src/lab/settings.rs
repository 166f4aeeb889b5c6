//! What a lab is to look like, and the node.toml that says so to a node. The keys are the contract of the README.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::certificates::SiteFiles;
use super::topology::{Carrier, EDGE};
use super::{ADMIN, origin};

/// One tenant and its site.
#[derive(Clone, Debug)]
pub struct Site {
    pub tenant: u32,
    pub fqdn: &'static str,
    /// Last number of its address in each service prefix.
    pub host: u8,
    /// Worker set; empty = all.
    pub workers: &'static [u16],
    pub mode: Mode,
}

/// What rules may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Block,
    Detect,
    Off,
}

impl Mode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Detect => "detect",
            Self::Off => "off",
        }
    }
}

/// When a source is banned.
#[derive(Clone, Copy, Debug)]
pub struct BanPolicy {
    pub refused: u32,
    pub ratio: f64,
    pub window_s: u32,
    pub ttl_s: u32,
    pub scope: &'static str,
}

/// What may differ between labs.
#[derive(Clone, Debug)]
pub struct LabOptions {
    pub sites: Vec<Site>,
    pub workers: u16,
    pub ban: BanPolicy,
    /// Rule files, copied into the run folder; none: the product's starter rules.
    pub rules: Vec<PathBuf>,
    pub xdp_mode: &'static str,
    /// Lines added to [node] and to [ban].
    pub extra_node: String,
    pub extra_ban: String,
}

/// An address of its own, HTTP and HTTPS, worker 0.
pub const WWW: &str = "www.example.test";
/// The same for another tenant, on worker 1.
pub const SHOP: &str = "shop.example.test";
/// Shares its address with [`SHADOW`], told apart by SNI and Host.
pub const ONE: &str = "one.example.test";
/// In detect mode.
pub const SHADOW: &str = "shadow.example.test";

impl Default for LabOptions {
    /// Two tenants with addresses and workers of their own, two that share an address, one of these in detect mode.
    fn default() -> Self {
        let site = |tenant, fqdn, host, workers, mode| Site { tenant, fqdn, host, workers, mode };
        Self {
            sites: vec![
                site(1, WWW, 10, &[0], Mode::Block),
                site(2, SHOP, 11, &[1], Mode::Block),
                site(3, ONE, 20, &[], Mode::Block),
                site(4, SHADOW, 20, &[], Mode::Detect),
            ],
            workers: 2,
            ban: BanPolicy { refused: 10, ratio: 0.5, window_s: 10, ttl_s: 600, scope: "tenant" },
            rules: Vec::new(),
            xdp_mode: "auto",
            extra_node: String::new(),
            extra_ban: String::new(),
        }
    }
}

/// Paths that a node's configuration names.
#[derive(Clone, Debug)]
pub struct NodeFiles<'a> {
    pub object: &'a Path,
    pub state: &'a Path,
    pub user: &'a str,
    pub rules: &'a [PathBuf],
    /// In the order of the sites.
    pub certificates: &'a [SiteFiles],
}

/// What a node.toml says of the machine that the node runs on.
#[derive(Clone, Debug)]
pub struct Machine<'a> {
    pub name: &'a str,
    pub carrier: Carrier,
    pub service_prefixes: [String; 2],
    pub origin_network: String,
}

/// The whole node.toml of one carrier's node.
pub fn node_toml(options: &LabOptions, carrier: Carrier, name: &str, files: &NodeFiles<'_>) -> String {
    let (service_prefixes, origin_network) = (carrier.service_prefixes(), carrier.origin_network());
    let machine = Machine { name, carrier, service_prefixes, origin_network };
    let mut text = machine_toml(options, &machine, files);
    for (site, tls) in options.sites.iter().zip(files.certificates) {
        let (host, workers) = (site.host, site.workers);
        line(&mut text, format_args!("\n[[tenant]]\nid = {}\nfqdn = {:?}", site.tenant, site.fqdn));
        line(
            &mut text,
            format_args!("addresses = [\"{}\", \"{}\"]", carrier.service(host), carrier.service6(host)),
        );
        line(&mut text, format_args!("workers = {workers:?}\nmode = {:?}", site.mode.name()));
        line(&mut text, format_args!("certificate = {:?}\nkey = {:?}", tls.certificate, tls.key));
        line(&mut text, format_args!("origins = [\"http://{}:{}\"]", carrier.origin(), origin::PORT));
        line(&mut text, format_args!("rules = {:?}", files.rules));
    }
    text
}

/// A node.toml without tenants.
pub fn machine_toml(options: &LabOptions, machine: &Machine<'_>, files: &NodeFiles<'_>) -> String {
    let mut text = String::new();
    let LabOptions { workers, ban, xdp_mode, extra_node, extra_ban, .. } = options;
    let Machine { name, carrier, service_prefixes: [v4, v6], origin_network } = machine;
    line(&mut text, format_args!("[node]\nname = {name:?}\ncarrier = {:?}", carrier.name()));
    line(&mut text, format_args!("user = {:?}\ninterface = {EDGE:?}\nxdp_mode = {xdp_mode:?}", files.user));
    line(&mut text, format_args!("kernel_object = {:?}", files.object));
    line(&mut text, format_args!("service_prefixes = [{v4:?}, {v6:?}]\nworkers = {workers}"));
    line(&mut text, format_args!("state_dir = {:?}", files.state));
    line(&mut text, format_args!("origin_networks = [{origin_network:?}]"));
    line(&mut text, format_args!("{extra_node}"));
    line(&mut text, format_args!("[log]\nrequests = \"requests.jsonl\"\nevents = \"events.jsonl\"\n"));
    line(&mut text, format_args!("[admin]\nlisten = \"{ADMIN}\"\n"));
    line(&mut text, format_args!("[ban]\nrefused = {}\nratio = {:?}", ban.refused, ban.ratio));
    line(
        &mut text,
        format_args!("window_s = {}\nttl_s = {}\nscope = {:?}", ban.window_s, ban.ttl_s, ban.scope),
    );
    line(&mut text, format_args!("{extra_ban}"));
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(format_args!("{line}\n"));
}

//! `waf explain-packet`: what the kernel half does with one frame, and why.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use waf_common::packet::{Packet, Parsed, ParsedFrame};
use waf_user::config;
use waf_user::kernel::explain::ScopeStep;
use waf_user::kernel::{Explanation, capture, explain};

use super::Outcome;

/// Show the whole decision on one frame: parse, service, allow, block, worker, outcome.
///
/// Runs the frame once through the program that is attached, on the live maps. Nothing is counted, and no packet is sent.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  sudo waf explain-packet --config /etc/waf/node.toml --pcap seen.pcap --frame 3\n  \
    sudo waf explain-packet --config /etc/waf/node.toml --json \\\n      \
    --hex '02 00 00 00 00 01 02 00 00 00 00 02 08 00 45 00 00 28 …'\n\n\
    Exit codes: 0 shown (also a drop), 1 failed, 2 wrong usage."
)]
pub struct ExplainPacket {
    /// node.toml of the node
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    frame: Frame,
    /// Which frame of the file, from 1
    #[arg(long = "frame", value_name = "N", default_value_t = 1, requires = "pcap")]
    number: usize,
    /// BPF object that is attached, where it is not [node] kernel_object
    #[arg(long, value_name = "FILE")]
    object: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Frame {
    /// The frame from its Ethernet header on; blanks and colons between digits are skipped
    #[arg(long, value_name = "HEX")]
    hex: Option<String>,
    /// A capture file (pcap, Ethernet)
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

impl ExplainPacket {
    pub fn run(self) -> Outcome {
        let frame = match (&self.frame.hex, &self.frame.pcap) {
            (Some(hex), _) => from_hex(hex)?,
            (None, Some(path)) => from_capture(path, self.number)?,
            (None, None) => return Err("give the frame by --hex or --pcap".into()),
        };
        let (settings, _) = config::load(&self.config)?;
        let explanation = explain(&settings, self.object.as_deref(), &frame)?;
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", to_json(&explanation))?;
        } else {
            print(&mut out, &explanation)?;
        }
        Ok(())
    }
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return Err("--hex takes pairs of hexadecimal digits".to_owned());
    }
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).map_err(|_not_hex| format!("--hex: {pair:?} is no byte")))
        .collect()
}

fn from_capture(path: &Path, number: usize) -> Result<Vec<u8>, String> {
    let file = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let frame = capture::frame(&file, number).map_err(|error| format!("{} {error}", path.display()))?;
    Ok(frame.to_vec())
}

fn print(out: &mut impl Write, e: &Explanation) -> io::Result<()> {
    match e.parsed {
        Parsed::NotIp => writeln!(out, "parse    not IP")?,
        Parsed::Unaddressed(layer) => writeln!(out, "parse    malformed ({layer:?}) before its destination")?,
        Parsed::Ip(packet) => writeln!(out, "parse    {}", line_of(&packet))?,
    }
    if !e.is_active {
        writeln!(out, "config   the filter is not active: everything passes until a node runs")?;
    }
    match e.service {
        Some(service) => {
            let level = if e.is_exact_service { "service" } else { "address of a service" };
            let tenant = match service.tenant {
                0 => "shared by several tenants".to_owned(),
                tenant => format!("tenant {tenant}"),
            };
            writeln!(
                out,
                "service  {level}: {tenant}, address {}, flags {}",
                service.address_id, service.flags
            )?;
        }
        None => writeln!(out, "service  none")?,
    }
    if let Some(tenant) = e.flow_tenant {
        writeln!(out, "flow     of tenant {tenant}, known by SNI or Host")?;
    }
    for step in &e.scopes {
        writeln!(out, "lists    {}", line_of_step(step, e.now_s))?;
    }
    if let Some(worker) = e.worker {
        writeln!(out, "steer    worker {worker}")?;
    }
    writeln!(out, "outcome  {} {}: {}", e.action, e.outcome.name(), e.outcome.text())?;
    if let Some(expected) = e.disagrees {
        writeln!(out, "         but the maps say {}: did they change meanwhile?", expected.name())?;
    }
    Ok(())
}

fn line_of(packet: &Packet) -> String {
    let (source, destination) = (IpAddr::from(packet.source), IpAddr::from(packet.destination));
    let mut line = format!("{source} -> {destination}, protocol {}", packet.protocol);
    match packet.malformed {
        Some(layer) => line.push_str(&format!(", malformed ({layer:?})")),
        None if packet.is_icmp() => {
            line.push_str(&format!(", type {} code {}", packet.icmp[0], packet.icmp[1]))
        }
        None => line.push_str(&format!(
            ", ports {} -> {}, TCP flags {:#04x}",
            packet.source_port, packet.destination_port, packet.tcp_flags
        )),
    }
    if packet.is_fragment() {
        line.push_str(&format!(", fragment ({:?})", packet.fragment));
    }
    line
}

fn line_of_step(step: &ScopeStep, now_s: u32) -> String {
    let block = match step.block {
        None => "no block".to_owned(),
        Some(entry) => {
            let ends = match (step.is_live, entry.expires_s) {
                (false, _) => "expired".to_owned(),
                (true, 0) => "for ever".to_owned(),
                (true, expires_s) => format!("{} s left", expires_s.saturating_sub(now_s)),
            };
            format!("block {} ({:?}, {ends})", entry.prefix, entry.reason)
        }
    };
    let allow = step.allow.map_or_else(|| "no allow".to_owned(), |prefix| format!("allow {prefix}"));
    format!("{} scope: {allow}, {block}", step.scope)
}

fn to_json(e: &Explanation) -> Value {
    let record = ParsedFrame::from(e.parsed);
    let packet = match e.parsed {
        Parsed::Ip(packet) => json!({
            "source": IpAddr::from(packet.source), "destination": IpAddr::from(packet.destination),
            "protocol": packet.protocol, "source_port": packet.source_port,
            "destination_port": packet.destination_port, "tcp_flags": packet.tcp_flags, "icmp": packet.icmp,
            "fragment": format!("{:?}", packet.fragment).to_lowercase(),
            "malformed": packet.malformed.map(|layer| format!("{layer:?}").to_lowercase()),
            "transport_offset": packet.transport_offset,
        }),
        _ => Value::Null,
    };
    let kind = match record.kind {
        1 => "not_ip",
        2 => "malformed",
        _ => "ip",
    };
    json!({
        "kind": kind,
        "packet": packet,
        "active": e.is_active,
        "service": e.service.map(|service| json!({
            "exact": e.is_exact_service, "service_id": service.service_id, "address_id": service.address_id,
            "tenant": service.tenant, "worker_set": service.worker_set, "flags": service.flags,
        })),
        "flow_tenant": e.flow_tenant,
        "lists": e.scopes.iter().map(|step| json!({
            "scope": step.scope, "number": step.number, "allow": step.allow,
            "block": step.block.map(|entry| json!({
                "prefix": entry.prefix, "reason": entry.reason as u32, "tenant": entry.tenant,
                "live": step.is_live,
                "left_s": (entry.expires_s != 0).then(|| entry.expires_s.saturating_sub(e.now_s)),
            })),
        })).collect::<Vec<_>>(),
        "worker": e.worker,
        "action": e.action,
        "outcome": e.outcome.name(),
        "text": e.outcome.text(),
        "expected": e.disagrees.map(waf_common::outcome::Outcome::name),
    })
}

//! K2 and K4 beside Debian's xdp-filter with the same rules. It is loaded by its own command, without libxdp's dispatcher
//! (which would make it dearer), in a mount namespace that takes its pins away, on a cable that carries nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};
use aya::programs::Xdp;
use aya_obj::programs::XdpAttachType;
use ipnet::IpNet;
use waf_tests::frames::{Frame, SYN, VLAN};
use xtask::lab::netns::Namespace;
use xtask::process;

use crate::clean;
use crate::measure::{self, Subject};
use crate::stage::{DROP, PASS, Stage, syn4, syn6};

const DEVICE: &str = "eth0";
const BAD4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const BAD6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x99, 0, 0, 0, 0, 7);
const GOOD4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const GOOD6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x98, 0, 0, 0, 0, 9);

pub fn run(stage: &Stage) -> Result<()> {
    // /128 and /32 on both sides: xdp-filter knows single addresses only.
    stage.block([IpNet::from(IpAddr::from(BAD4)), IpNet::from(IpAddr::from(BAD6))])?;
    let stranger = Stranger::load(&stage.peer, stage.spare_pin())?;
    let tagged = Frame::tcp((BAD4.into(), 40_000), ([10, 1, 0, 0].into(), 80), SYN).tag(VLAN, 5).build();
    let rows = [
        ("K2", "listed source dropped, v4", syn4(BAD4), DROP),
        ("K2", "listed source dropped, v6", syn6(BAD6), DROP),
        ("K2", "listed source dropped, v4 in a VLAN", tagged, DROP),
        ("K4", "clean packet, one rule each, v4", syn4(GOOD4), PASS),
        ("K4", "clean packet, one rule each, v6", syn6(GOOD6), PASS),
    ];
    for (id, what, frame, action) in &rows {
        compare(stage, &stranger, id, what, frame, *action)?;
    }
    clean::fill(stage)?;
    for (family, frame) in [("v4", syn4(GOOD4)), ("v6", syn6(GOOD6))] {
        let what = format!("clean packet, 1000 blocks and 100 allows, {family}");
        compare(stage, &stranger, "K4", &what, &frame, PASS)?;
    }
    Ok(())
}

fn compare(
    stage: &Stage,
    stranger: &Stranger,
    id: &str,
    what: &str,
    frame: &[u8],
    action: u32,
) -> Result<()> {
    let subject = Subject { program: &stage.filter, frame, action };
    measure::pairs(id, what, "xdp-filter", &subject, &Subject { program: &stranger.program, frame, action })
}

/// xdp-filter with two rules; gone on drop.
struct Stranger {
    program: Xdp,
    pin: PathBuf,
    holder: Child,
}

impl Stranger {
    fn load(namespace: &Namespace, pin: PathBuf) -> Result<Self> {
        let script = format!(
            "set -e; mount -t bpf bpf /sys/fs/bpf; export LIBXDP_SKIP_DISPATCHER=1; \
             xdp-filter load --mode skb {DEVICE} >&2; xdp-filter ip --mode src {BAD4} >&2; \
             xdp-filter ip --mode src {BAD6} >&2; echo ready; read end"
        );
        let mut shell = namespace.command("unshare");
        shell.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
        let mut holder =
            shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("start xdp-filter")?;
        let mut said = String::new();
        if let Some(output) = holder.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        let pinned = if said.trim() == "ready" { pin_attached(namespace, &pin) } else { Ok(()) };
        let program = pinned.and_then(|()| Ok(Xdp::from_pin(&pin, XdpAttachType::Interface)?));
        match program {
            Ok(program) => Ok(Self { program, pin, holder }),
            Err(error) => {
                drop(holder.stdin.take());
                drop(holder.wait());
                Err(error).with_context(|| format!("load xdp-filter (it said {said:?})"))
            }
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.pin));
        if let Some(mut input) = self.holder.stdin.take() {
            drop(input.write_all(b"\n"));
        }
        drop(self.holder.wait());
    }
}

/// Pins what is attached to the device.
fn pin_attached(namespace: &Namespace, pin: &std::path::Path) -> Result<()> {
    let mut ip = process::command("ip");
    let shown = process::text(ip.args(["-n", namespace.name(), "-j", "-d", "link", "show", "dev", DEVICE]))?;
    let links: serde_json::Value = serde_json::from_str(&shown)?;
    let id = links[0]["xdp"]["prog"]["id"].as_u64().context("nothing is attached")?;
    let name =
        process::text(process::command("bpftool").args(["-j", "prog", "show", "id", &id.to_string()]))?;
    ensure!(!name.contains("xdp_dispatcher"), "libxdp put its dispatcher in front: {name}");
    process::run(process::command("bpftool").args(["prog", "pin", "id", &id.to_string()]).arg(pin))
}

//! A loaded filter in a namespace where no packet is but the bench's, its maps, and the programs it is compared with.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aya::maps::lpm_trie::Key;
use aya::maps::{Array, LpmTrie, MapData, ProgramArray};
use aya::programs::Xdp;
use aya::{Ebpf, EbpfLoader};
use aya_obj::programs::XdpAttachType;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use waf_common::address::Address;
use waf_common::block::{Reason, SCOPE_NODE};
use waf_common::limits::WORKERS_MAX;
use waf_common::names::PROGRAM_XDP;
use waf_common::service::{CONFIG_ACTIVE, Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;
use waf_tests::frames::{Frame, SYN};
use waf_user::kernel::{BlockEntry, Maps, Pins};
use waf_user::model::NodeName;
use xtask::lab::netns::{End, Namespace, cable, unique};
use xtask::process;

use crate::spread::spread;

pub const DROP: u32 = 1;
pub const PASS: u32 = 2;

const TENANT: u32 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const WORKER_SET: u32 = 1;

/// Where [`crate::spread`] has numbers that no list of the bench reaches.
pub const CLEAN_FROM: u32 = 1 << 23;
/// So many of them: as many senders as a flood has, and far more than any cache holds.
pub const CLEAN_COUNT: u32 = 1 << 23;

pub struct Stage {
    pub node: Namespace,
    pub peer: Namespace,
    pub maps: Maps,
    pub filter: Xdp,
    pins: Pins,
    binary: PathBuf,
    directory: PathBuf,
    bench: Ebpf,
}

impl Stage {
    /// # Errors
    /// Not root, or a part does not come up.
    pub fn new() -> Result<Self> {
        let path =
            |name: &str| std::env::var_os(name).map(PathBuf::from).with_context(|| format!("no {name}"));
        let (binary, object, bench) = (path("WAF_BIN")?, path("WAF_OBJECT")?, path("WAF_BENCH_OBJECT")?);
        let word = unique();
        let node = Namespace::new(&format!("{word}-n"))?;
        let peer = Namespace::new(&format!("{word}-c"))?;
        cable(
            End { namespace: &peer, device: "eth0", addresses: &["10.9.0.2/24"] },
            End { namespace: &node, device: "eth1", addresses: &["10.9.0.1/24"] },
        )?;
        let directory = std::env::temp_dir().join(format!("waf-bench-{word}"));
        fs::create_dir_all(&directory)?;
        let config = directory.join("node.toml");
        let toml = format!(
            "[node]\nname = \"{word}\"\ncarrier = \"carrier-a\"\nuser = \"nobody\"\ninterface = \"eth1\"\n\
             kernel_object = {object:?}\nstate_dir = {directory:?}\ncpumap = true\nworkers = 2\n\
             service_prefixes = [\"10.1.0.0/16\", \"fd00:1::/64\"]\n"
        );
        fs::write(&config, toml)?;
        process::run(node.command(&binary).args(["kernel", "load", "--config"]).arg(&config))?;
        let name = NodeName::new(&word)?;
        let pins = Pins::of(&name);
        let stage = Self {
            maps: Maps::open(&name)?,
            filter: Xdp::from_pin(pins.program(PROGRAM_XDP), XdpAttachType::Interface)?,
            node,
            peer,
            pins,
            binary,
            directory,
            bench: load_programs(&bench)?,
        };
        stage.configure(CONFIG_ACTIVE, 0)?;
        stage.serve(1)?;
        Ok(stage)
    }

    /// `CONFIG_*` bits, and one event in so many drops (0 = none).
    pub fn configure(&self, flags: u32, event_sample: u32) -> Result<()> {
        let now = self.maps.config()?;
        Ok(self.maps.activate(&Config { flags, event_sample, ..now })?)
    }

    /// Port 80 and UDP 443 of so many addresses from 10.1.0.0 and of fd00:1:: on, each of one tenant.
    pub fn serve(&self, addresses: u32) -> Result<()> {
        let mut workers = [0; WORKERS_MAX];
        workers[1] = 1;
        self.maps.set_worker_set(WORKER_SET, &WorkerSet { count: 2, _pad: 0, workers })?;
        let mut services = Vec::new();
        let mut add = |ip: IpAddr, port, protocol, id| {
            let key = ServiceKey { addr: Address::from(ip).octets, port, protocol, _pad: 0 };
            let value = ServiceValue {
                service_id: id,
                address_id: id,
                tenant: TENANT,
                worker_set: WORKER_SET,
                flags: 0,
                counters: 0,
            };
            services.push((key, value));
        };
        for number in 0..addresses {
            add(service4(number), 80, TCP, number + 1);
        }
        add(service4(0), 443, UDP, 1);
        add(service6(), 80, TCP, addresses + 1);
        Ok(self.maps.replace_services(&services)?)
    }

    /// Makes the node's block list exactly these.
    pub fn block(&self, prefixes: impl IntoIterator<Item = IpNet>) -> Result<()> {
        let entry =
            |prefix| BlockEntry { scope: SCOPE_NODE, prefix, reason: Reason::List, tenant: 0, expires_s: 0 };
        let entries: Vec<BlockEntry> = prefixes.into_iter().map(entry).collect();
        Ok(self.maps.replace_blocks(Reason::List, &entries)?)
    }

    /// One of the programs without the filter.
    pub fn program(&self, name: &'static str) -> Result<&Xdp> {
        let program = self.bench.program(name).with_context(|| format!("no program {name}"))?;
        Ok(program.try_into()?)
    }

    /// Fills the plain trie.
    pub fn fill_plain(&mut self, prefixes: impl IntoIterator<Item = Ipv4Net>) -> Result<()> {
        let mut trie: LpmTrie<&mut MapData, [u8; 4], u32> = map(&mut self.bench, "PLAIN4")?;
        for prefix in prefixes {
            trie.insert(&Key::new(u32::from(prefix.prefix_len()), prefix.network().octets()), 1, 0)?;
        }
        Ok(())
    }

    /// Lets the spraying programs send from `count` prefixes from number `first` on and go on to `next`.
    pub fn spray(&self, spray: Spray, next: &Xdp) -> Result<()> {
        let Spray { first, count, last_octet, destinations } = spray;
        let mut settings: Array<MapData, u32> = Array::try_from(self.again("SPRAY")?)?;
        for (index, value) in (0u32..).zip([first, count, last_octet, destinations]) {
            settings.set(index, value, 0)?;
        }
        let mut array: ProgramArray<MapData> = ProgramArray::try_from(self.again("NEXT")?)?;
        Ok(array.set(0, next.fd()?, 0)?)
    }

    /// A second handle of a map, so that programs borrowed from the object do not hold up writing.
    fn again(&self, name: &'static str) -> Result<aya::maps::Map> {
        let map = self.bench.map(name).with_context(|| format!("no map {name}"))?;
        let info = match map {
            aya::maps::Map::Array(data) | aya::maps::Map::ProgramArray(data) => data.info()?,
            _ => anyhow::bail!("{name} is of no known kind"),
        };
        Ok(aya::maps::Map::from_map_data(MapData::from_id(info.id())?)?)
    }

    /// A place for a pin that goes away with the stage.
    pub fn spare_pin(&self) -> PathBuf {
        self.pins.mount().join("stranger")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let mut unload = self.node.command(&self.binary);
        unload.args(["kernel", "unload", "--force", "--config"]).arg(self.directory.join("node.toml"));
        if let Err(error) = process::run(&mut unload) {
            eprintln!("warning: {error:#}");
        }
        drop(fs::remove_dir_all(&self.directory));
    }
}

/// Where the packets of the spraying programs come from and go to.
#[derive(Clone, Copy, Debug)]
pub struct Spray {
    pub first: u32,
    pub count: u32,
    /// 0: any.
    pub last_octet: u32,
    /// 0: as the frame says.
    pub destinations: u32,
}

/// Sources in the first `count` prefixes.
pub fn listed(count: u32) -> Spray {
    Spray { first: 0, count, last_octet: 0, destinations: 0 }
}

/// Sources in no listed prefix.
pub fn clean() -> Spray {
    Spray { first: CLEAN_FROM, count: CLEAN_COUNT, last_octet: 0, destinations: 0 }
}

/// The first `count` scattered IPv4 /24.
pub fn prefixes4(count: u32) -> impl Iterator<Item = Ipv4Net> {
    (0..count).map(|number| Ipv4Net::new_assert(Ipv4Addr::from(spread(number) << 8), 24))
}

/// One address in each of them.
pub fn addresses4(count: u32, last_octet: u32) -> impl Iterator<Item = Ipv4Net> {
    (0..count).map(move |number| Ipv4Net::new_assert(Ipv4Addr::from(spread(number) << 8 | last_octet), 32))
}

/// The first `count` scattered IPv6 /64.
pub fn prefixes6(count: u32) -> impl Iterator<Item = Ipv6Net> {
    let bits = |number| u128::from(0x2001_0db8u32) << 96 | u128::from(spread(number)) << 64;
    (0..count).map(move |number| Ipv6Net::new_assert(Ipv6Addr::from(bits(number)), 64))
}

fn service4(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0a01_0000 + number).into()
}

fn service6() -> IpAddr {
    Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 0x10).into()
}

/// A SYN to the first service.
pub fn syn4(source: Ipv4Addr) -> Vec<u8> {
    Frame::tcp((source.into(), 40_000), (service4(0), 80), SYN).build()
}

pub fn syn6(source: Ipv6Addr) -> Vec<u8> {
    Frame::tcp((source.into(), 40_000), (service6(), 80), SYN).build()
}

fn load_programs(object: &Path) -> Result<Ebpf> {
    let mut bench = EbpfLoader::new().load_file(object)?;
    for (name, program) in bench.programs_mut() {
        let program: &mut Xdp = program.try_into()?;
        program.load().with_context(|| format!("load {name}"))?;
    }
    Ok(bench)
}

fn map<'a, M>(bench: &'a mut Ebpf, name: &'static str) -> Result<M>
where
    M: TryFrom<&'a mut aya::maps::Map, Error = aya::maps::MapError>,
{
    Ok(M::try_from(bench.map_mut(name).with_context(|| format!("no map {name}"))?)?)
}

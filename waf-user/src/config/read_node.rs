//! The tables [node], [log], [admin], [control] and [ban] -> settings and policy. Knows every key, default and range of theirs.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use waf_common::limits::{EVENT_SAMPLE_DEFAULT, PREFIXES_MAX, WORKERS_MAX};

use super::files::read_lists;
use super::mistake::Span;
use super::origin_url::{OriginUrl, Scheme};
use super::prefix::parse_prefix;
use super::read_tenant::read_rules;
use super::reader::Table;
use super::{
    AdminSettings, BanPolicy, BanPolicyScope, ControlSettings, Fragments, LogSettings, NodeSettings, XdpMode,
};
use crate::model::sync::Contract;
use crate::model::{Carrier, NodeName};

/// A day: a longer window would hold sources of yesterday in a bounded table.
const WINDOW_S_MAX: u64 = 86_400;
/// A year: kernel expiry is monotonic seconds in 32 bits.
const TTL_S_MAX: u64 = 31_536_000;
/// A minute becomes a year in four steps of this.
const TTL_GROWTH_MAX: f64 = 100.0;
/// More than any machine carries; sums of many stay within 64 bits.
const RATE_MAX: u64 = 1_000_000_000;
/// Refusals that one window can count.
const REFUSED_MAX: u64 = 1_000_000;

/// Where no `state_dir` is named.
pub(super) const STATE_DIR: &str = "/var/lib/waf";

const PREFIX_CURE: &str = "write a prefix such as \"192.0.2.0/24\" or \"2001:db8::/32\"";

/// What [node] and its sisters say; `settings` is absent where a required key failed.
pub(super) struct NodePart {
    pub settings: Option<NodeSettings>,
    pub lists: NodeLists,
    pub ban: BanPolicy,
    pub capacity: Contract,
    pub has_interface: bool,
    pub service_prefixes: Vec<IpNet>,
    pub prefixes_span: Span,
    pub has_control: bool,
    pub workers: Option<u16>,
}

/// The lists of [node] that the tenants' side uses.
#[derive(Default)]
pub(super) struct NodeLists {
    pub allow: Vec<IpNet>,
    pub block: Vec<IpNet>,
    pub origin_networks: Vec<IpNet>,
}

pub(super) fn read(root: &Table<'_>, folder: &Path) -> NodePart {
    let ban = read_ban(root, folder);
    let admin = read_admin(root);
    let has_control = root.has("control");
    let control = read_control(root, folder);
    let log = root.table("log", "[log]");
    let log_names = log.map(read_log).unwrap_or_default();
    let Some(node) = root.table("node", "[node]") else {
        return NodePart {
            settings: None,
            lists: NodeLists::default(),
            ban,
            capacity: Contract::default(),
            has_interface: false,
            service_prefixes: Vec::new(),
            prefixes_span: 0..0,
            has_control,
            workers: None,
        };
    };
    let part = read_node(node, folder, &log_names, admin, ban);
    if part.workers.is_none() && control.as_ref().is_some_and(|control| control.own_worker) {
        let message = "`own_worker` of [control] without `workers` of [node]";
        root.mistakes().add(root.span_of("control"), message, "write how many workers there are");
    }
    let settings = part.settings.map(|settings| NodeSettings { control, ..settings });
    NodePart { settings, has_control, ..part }
}

fn read_node_lists(node: &Table<'_>, folder: &Path) -> NodeLists {
    NodeLists {
        origin_networks: values(node.parsed_list("origin_networks", parse_prefix, PREFIX_CURE)),
        allow: read_lists(&node.texts("allow"), folder, node.mistakes()),
        block: read_lists(&node.texts("block"), folder, node.mistakes()),
    }
}

fn read_node(
    node: Table<'_>,
    folder: &Path,
    (requests, events): &(Option<String>, Option<String>),
    admin: AdminSettings,
    ban: BanPolicy,
) -> NodePart {
    node.require("name", "name = \"a1\"");
    let name = node.parsed("name", NodeName::new, "for example name = \"a1\"");
    node.require("carrier", "carrier = \"carrier-a\"");
    let carrier = node.parsed("carrier", Carrier::new, "for example carrier = \"carrier-a\"");
    let user = node.parsed("user", parse_user, "write the name of an account of this machine");
    let interface = node.parsed("interface", parse_interface, "write a name that `ip link` shows");
    let xdp_mode = node
        .choice(
            "xdp_mode",
            &[("auto", XdpMode::Auto), ("native", XdpMode::Native), ("generic", XdpMode::Generic)],
        )
        .unwrap_or_default();
    let kernel_object = path_of(&node, "kernel_object", folder, "/usr/lib/waf/waf.bpf.o");
    let service_prefixes = read_service_prefixes(&node);
    let only_services = node.flag("only_services", true);
    let cpumap = node.flag("cpumap", false);
    let fragments =
        node.choice("fragments", &[("pass", Fragments::Pass), ("drop", Fragments::Drop)]).unwrap_or_default();
    let event_sample = node
        .number("event_sample", 0..=u64::from(u32::MAX))
        .and_then(|n| u32::try_from(n.into_inner()).ok())
        .unwrap_or(EVENT_SAMPLE_DEFAULT);
    let workers =
        node.number("workers", 1..=WORKERS_MAX as u64).and_then(|n| u16::try_from(n.into_inner()).ok());
    let state_dir = path_of(&node, "state_dir", folder, STATE_DIR);
    let lists = read_node_lists(&node, folder);
    let capacity = read_rates(&node, "capacity", "[node] capacity");
    let prefixes_span = node.span_of("service_prefixes");
    let (has_interface, prefixes) = (node.has("interface"), service_prefixes.clone());
    node.finish();
    let place = |name: &Option<String>| name.as_ref().map(|name| state_dir.join(name));
    let log = LogSettings { requests: place(requests), events: place(events) };
    let settings = name.zip(carrier).map(|(name, carrier)| NodeSettings {
        name: name.into_inner(),
        carrier: carrier.into_inner(),
        user: user.map_or_else(|| "waf".to_owned(), toml::Spanned::into_inner),
        interface: interface.map(toml::Spanned::into_inner),
        xdp_mode,
        kernel_object,
        service_prefixes,
        only_services,
        cpumap,
        fragments,
        event_sample,
        workers,
        state_dir,
        log,
        admin,
        control: None,
    });
    NodePart {
        settings,
        lists,
        ban,
        capacity,
        has_interface,
        service_prefixes: prefixes,
        prefixes_span,
        has_control: false,
        workers,
    }
}

/// Each becomes a route: twice the same one cannot be added.
fn read_service_prefixes(node: &Table<'_>) -> Vec<IpNet> {
    let key = "service_prefixes";
    let prefixes = node.parsed_list(key, parse_prefix, PREFIX_CURE);
    let mut seen = HashSet::new();
    for prefix in &prefixes {
        if !seen.insert(*prefix.get_ref()) {
            let message = format!("{} is written twice", prefix.get_ref());
            node.mistakes().add(prefix.span(), message, "take one out");
        }
    }
    if seen.len() > PREFIXES_MAX as usize {
        let message = format!("`{key}` holds {} prefixes", seen.len());
        node.mistakes().add(node.span_of(key), message, format!("{PREFIXES_MAX} at most: join some of them"));
    }
    values(prefixes)
}

fn read_log(log: Table<'_>) -> (Option<String>, Option<String>) {
    let name = |key| log.parsed(key, parse_file_name, "write a file name").map(toml::Spanned::into_inner);
    let names = (name("requests"), name("events"));
    log.finish();
    names
}

fn read_admin(root: &Table<'_>) -> AdminSettings {
    let Some(admin) = root.table("admin", "[admin]") else { return AdminSettings::default() };
    let listen = admin.parsed("listen", parse_listen, "for example listen = \"127.0.0.1:9900\"");
    admin.finish();
    AdminSettings { listen: listen.map(toml::Spanned::into_inner) }
}

fn read_control(root: &Table<'_>, folder: &Path) -> Option<ControlSettings> {
    let control = root.table("control", "[control]")?;
    control.require("url", "url = \"https://control.example.net:8444\"");
    let url = control.parsed("url", parse_control, "for example url = \"https://192.0.2.5:8444\"");
    let ca = control.parsed("ca", parse_file_name, "write a path");
    let (rules, own_worker) = (read_rules(&control, folder), control.flag("own_worker", false));
    control.finish();
    let url = url?.into_inner();
    let ca = ca.map(|name| folder.join(name.into_inner()));
    Some(ControlSettings { host: url.host, port: url.port, ca, rules, own_worker })
}

/// Where a control process listens for nodes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_control(text: &str) -> Result<OriginUrl, String> {
    let url = OriginUrl::parse(text).map_err(|error| error.to_string())?;
    if url.scheme == Scheme::Https { Ok(url) } else { Err("nodes speak https:// with control".to_owned()) }
}

fn read_ban(root: &Table<'_>, folder: &Path) -> BanPolicy {
    let mut policy = BanPolicy::default();
    let Some(ban) = root.table("ban", "[ban]") else { return policy };
    let number = |key, range, default| {
        ban.number(key, range).and_then(|n| u32::try_from(n.into_inner()).ok()).unwrap_or(default)
    };
    policy.refused = number("refused", 1..=REFUSED_MAX, policy.refused);
    policy.window_s = number("window_s", 1..=WINDOW_S_MAX, policy.window_s);
    policy.ttl_s = number("ttl_s", 1..=TTL_S_MAX, policy.ttl_s);
    policy.ttl_max_s = number("ttl_max_s", 1..=TTL_S_MAX, policy.ttl_max_s);
    if policy.ttl_max_s < policy.ttl_s {
        if ban.has("ttl_max_s") {
            let message = format!("`ttl_max_s` is less than `ttl_s`, which is {}", policy.ttl_s);
            ban.mistakes().add(ban.span_of("ttl_max_s"), message, "write at least as much");
        }
        // A first ban longer than the default's most is the most.
        policy.ttl_max_s = policy.ttl_s;
    }
    policy.ttl_growth = ban.fraction("ttl_growth", 1.0..=TTL_GROWTH_MAX).unwrap_or(policy.ttl_growth);
    policy.never = read_lists(&ban.texts("never"), folder, ban.mistakes());
    policy.ratio = ban.fraction("ratio", 0.0..=1.0).unwrap_or(policy.ratio);
    let scopes = [
        ("tenant", BanPolicyScope::Tenant),
        ("address", BanPolicyScope::Address),
        ("node", BanPolicyScope::Node),
    ];
    policy.scope = ban.choice("scope", &scopes).unwrap_or_default();
    ban.finish();
    policy
}

/// Rates a second, all 0 where the key is not set.
pub(super) fn read_rates(table: &Table<'_>, key: &'static str, name: &str) -> Contract {
    let Some(rates) = table.table(key, name) else { return Contract::default() };
    let rate = |key| rates.number(key, 0..=RATE_MAX).map_or(0, toml::Spanned::into_inner);
    let read = Contract {
        requests_s: rate("requests_s"),
        mbit_s: rate("mbit_s"),
        handshakes_s: rate("handshakes_s"),
    };
    rates.finish();
    read
}

/// The values of spanned values.
pub(super) fn values<T>(spanned: Vec<toml::Spanned<T>>) -> Vec<T> {
    spanned.into_iter().map(toml::Spanned::into_inner).collect()
}

fn path_of(table: &Table<'_>, key: &'static str, folder: &Path, default: &str) -> PathBuf {
    let name = table.parsed(key, parse_file_name, "write a path");
    folder.join(name.map_or_else(|| default.to_owned(), toml::Spanned::into_inner))
}

pub(super) fn parse_file_name(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("a path cannot be empty"),
        text if text.contains('\0') => Err("a path cannot hold NUL"),
        text => Ok(text.to_owned()),
    }
}

fn parse_user(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("a user name cannot be empty"),
        text if text.contains([':', '/', '\0', '\n']) => Err("a user name has no : / or line end"),
        text => Ok(text.to_owned()),
    }
}

/// IFNAMSIZ is 16 with the final NUL; the kernel refuses `/`, white space and the names `.` and `..`.
fn parse_interface(text: &str) -> Result<String, &'static str> {
    let bad = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    match text {
        "" | "." | ".." => Err("no interface has this name"),
        text if text.len() > 15 => Err("an interface name has at most 15 characters"),
        text if text.contains(bad) => Err("an interface name has no / : or space"),
        text => Ok(text.to_owned()),
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, &'static str> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => Err("port 0 listens nowhere in particular"),
        Ok(address) => Ok(address),
        Err(_) if text.parse::<IpAddr>().is_ok() => Err("the port is missing"),
        Err(_) => Err("not an address and port"),
    }
}

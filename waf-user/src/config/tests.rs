//! One row a mistake: where it is, what is said; defaults and limits from both sides.

use std::path::Path;

use super::*;
use crate::engine::{Levels, RuleChoice};
use crate::model::Mode;

const NODE: &str = "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\n";
const TENANT: &str = "[[tenant]]\nid = 1\nfqdn = \"www.example.test\"\naddresses = [\"10.1.0.10\"]\norigins = [\"http://10.9.0.2:8080\"]\n";

fn parsed(text: &str) -> (NodeSettings, NodeConfig) {
    parse(Path::new("/etc/waf/node.toml"), text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

#[test]
fn what_is_not_written_has_the_documented_default() {
    let (settings, config) = parsed(&format!("{NODE}{TENANT}"));
    assert_eq!(settings.user, "waf");
    assert_eq!(settings.interface, None);
    assert_eq!(settings.xdp_mode, XdpMode::Auto);
    assert_eq!(settings.kernel_object, Path::new("/usr/lib/waf/waf.bpf.o"));
    assert!(settings.only_services && !settings.cpumap);
    assert_eq!((settings.fragments, settings.event_sample), (Fragments::Pass, 256));
    assert_eq!(settings.workers, None);
    assert_eq!(settings.state_dir, Path::new("/var/lib/waf"));
    assert_eq!((settings.log.requests, settings.log.events, settings.admin.listen), (None, None, None));
    let ban = &config.ban;
    assert_eq!((ban.refused, ban.ratio, ban.window_s, ban.ttl_s), (10, 0.5, 10, 600));
    assert_eq!((ban.ttl_max_s, ban.ttl_growth, ban.never.len()), (86_400, 2.0, 0));
    assert_eq!(ban.scope, BanPolicyScope::Tenant);
    let tenant = &config.tenants[0];
    assert_eq!(
        (tenant.http_port, tenant.https_port, tenant.default, tenant.mode),
        (80, 443, false, Mode::Block)
    );
    assert_eq!((tenant.levels, tenant.response_bodies), (Levels::default(), None), "as the rules say");
    assert!(tenant.workers.is_empty() && tenant.certificate.is_none() && tenant.rules.is_none());
}

#[test]
fn the_example_of_the_contract_is_read_whole() {
    let folder = scratch("contract");
    std::fs::create_dir_all(folder.join("rules")).unwrap();
    for name in ["20.conf", "10.conf", "note.txt"] {
        std::fs::write(folder.join("rules").join(name), "").unwrap();
    }
    std::fs::write(folder.join("bad.txt"), "# known scanners\n192.0.2.0/24\n\n2001:db8::/32 # v6\n").unwrap();
    let text = include_str!("tests/contract.toml");
    let (settings, config) =
        parse(&folder.join("node.toml"), text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(settings.log.requests.as_deref(), Some(Path::new("/var/lib/waf/requests.jsonl")));
    assert_eq!(settings.workers, Some(2));
    assert_eq!(config.block.len(), 2);
    let tenant = &config.tenants[0];
    assert_eq!(tenant.certificate, Some(Source::File(folder.join("site.pem"))));
    let rules = vec![folder.join("rules/10.conf"), folder.join("rules/20.conf")];
    assert_eq!(tenant.rules, Some(rules));
    assert_eq!(tenant.response_headers, [("X-Frame-Options".to_owned(), "DENY".to_owned())]);
    assert_eq!(tenant.exclusions[0].rules, RuleChoice::Ids(942_100, 942_100));
    assert_eq!(tenant.exclusions[0].path, Some(PathMatch::Exact("/search".to_owned())));
    assert_eq!(tenant.exclusions[0].parameter.as_deref(), Some("q"));
    std::fs::remove_dir_all(folder).unwrap();
}

/// A line with so many service prefixes.
fn prefixes(count: u16) -> String {
    let list: Vec<String> = (0..count).map(|n| format!("\"10.{}.{}.0/24\"", n >> 8, n & 255)).collect();
    format!("service_prefixes = [{}]", list.join(", "))
}

/// Each row: name, the file, where the mistake is, what the message must hold.
#[test]
fn every_mistake_is_found_where_it_is() {
    let node = |line: &str| format!("{NODE}{line}\n");
    let tenant = |line: &str| format!("{NODE}{TENANT}{line}\n");
    let two = |first: &str, second: &str| {
        let other = TENANT.replace("id = 1", "id = 2").replace("www.", "two.");
        format!("{NODE}{TENANT}{first}\n{other}{second}\n")
    };
    let with_interface = |prefixes: &str| format!("{NODE}interface = \"eth1\"\n{prefixes}\n{TENANT}");
    let table: Vec<(&str, String, &str, &str)> = vec![
        ("no [node]", TENANT.to_owned(), ":1:1:", "lacks `node`"),
        ("no name", "[node]\ncarrier = \"a\"\n".into(), ":1:1:", "lacks `name`"),
        ("no carrier", "[node]\nname = \"a\"\n".into(), ":1:1:", "lacks `carrier`"),
        ("shape of name", "[node]\nname = \"A 1\"\ncarrier = \"a\"\n".into(), ":2:8:", "may hold only"),
        ("name empty", "[node]\nname = \"\"\ncarrier = \"a\"\n".into(), ":2:8:", "is empty or longer"),
        ("shape of carrier", "[node]\nname = \"a\"\ncarrier = \"-a\"\n".into(), ":3:11:", "must begin"),
        ("unknown key, near one", node("interfacee = \"x\""), ":4:1:", "did you mean `interface`?"),
        ("unknown key, near none", node("zzz = 1"), ":4:1:", "known here: name, carrier"),
        ("unknown table", node("[logs]"), ":4:2:", "did you mean `log`?"),
        ("wrong type", node("cpumap = \"yes\""), ":4:10:", "`cpumap` is true or false, not a string"),
        ("fragments", node("fragments = \"keep\""), ":4:13:", "pass, drop"),
        ("event_sample negative", node("event_sample = -1"), ":4:16:", "0..4294967295"),
        ("broken syntax", node("cpumap = "), ":4:", "1 mistake"),
        ("broken header", "[node\nname = \"a1\"\n".into(), ":1:6:", "1 mistake"),
        (
            "prefix twice",
            node("service_prefixes = [\"10.1.0.0/24\", \"10.1.0.0/24\"]"),
            ":4:36:",
            "10.1.0.0/24 is written twice",
        ),
        ("257 prefixes", node(&prefixes(257)), ":4:20:", "256 at most"),
        ("repeated key", node("name = \"b\""), ":4:1:", "duplicate key"),
        ("workers 0", node("workers = 0"), ":4:11:", "1..64"),
        ("workers 65", node("workers = 65"), ":4:11:", "1..64"),
        ("workers negative", node("workers = -1"), ":4:11:", "1..64"),
        ("xdp_mode", node("xdp_mode = \"fast\""), ":4:12:", "auto, native, generic"),
        (
            "interface name",
            node("interface = \"a/b\"\nservice_prefixes = [\"10.1.0.0/24\"]"),
            ":4:13:",
            "no / : or space",
        ),
        ("host bits", node("service_prefixes = [\"10.1.0.1/24\"]"), ":4:21:", "the network is 10.1.0.0/24"),
        ("prefix length", node("origin_networks = [\"10.0.0.0/33\"]"), ":4:20:", "not an address or prefix"),
        ("mapped", node("block = [\"::ffff:1.2.3.4\"]"), ":4:10:", "IPv4 written as IPv6"),
        ("list file", node("block = [\"nowhere.txt\"]"), ":4:10:", "neither a prefix"),
        ("admin port", node("[admin]\nlisten = \"127.0.0.1\""), ":5:10:", "the port is missing"),
        ("admin port 0", node("[admin]\nlisten = \"127.0.0.1:0\""), ":5:10:", "port 0"),
        ("log name", node("[log]\nevents = \"\""), ":5:10:", "cannot be empty"),
        ("ban refused", node("[ban]\nrefused = 0"), ":5:11:", "1..1000000"),
        ("ban ratio", node("[ban]\nratio = 1.5"), ":5:9:", "0..1"),
        ("ban ratio nan", node("[ban]\nratio = nan"), ":5:9:", "0..1"),
        ("ban growth", node("[ban]\nttl_growth = 0.5"), ":5:14:", "out of range"),
        ("ban most", node("[ban]\nttl_s = 60\nttl_max_s = 59"), ":6:13:", "less than `ttl_s`"),
        ("ban never", node("[ban]\nnever = [\"192.0.2.0/33\"]"), ":5:10:", "never"),
        ("ban ttl", node("[ban]\nttl_s = 0"), ":5:9:", "out of range"),
        ("ban window", node("[ban]\nwindow_s = 0"), ":5:12:", "out of range"),
        ("ban scope", node("[ban]\nscope = \"fleet\""), ":5:9:", "tenant, address, node"),
        ("tenant key", tenant("modes = \"block\""), ":9:1:", "did you mean `mode`?"),
        ("tenant id 0", tenant("").replace("id = 1", "id = 0"), ":5:6:", "1..2147483647"),
        ("fqdn address", tenant("").replace("www.example.test", "10.1.0.1"), ":6:8:", "is an address"),
        ("no addresses", tenant("").replace("addresses", "#"), ":4:1:", "lacks `addresses`"),
        ("addresses empty", tenant("").replace("\"10.1.0.10\"", ""), ":7:13:", "`addresses` is empty"),
        ("address shape", tenant("").replace("10.1.0.10", "10.1.0.0/24"), ":7:14:", "not an address"),
        (
            "address multicast",
            tenant("").replace("10.1.0.10", "224.0.0.1"),
            ":7:14:",
            "no address that a site",
        ),
        ("address twice", tenant("").replace("[\"10.1", "[\"10.1.0.10\", \"10.1"), ":7:27:", "written twice"),
        ("origins empty", tenant("").replace("\"http://10.9.0.2:8080\"", ""), ":8:11:", "`origins` is empty"),
        (
            "origins as a string",
            tenant("").replace("[\"http://10.9.0.2:8080\"]", "\"http://10.9.0.2\""),
            ":8:11:",
            "`origins` is a list",
        ),
        (
            "an origin as a number",
            tenant("").replace("\"http://10.9.0.2:8080\"", "1"),
            ":8:12:",
            "a list of strings",
        ),
        ("origin path", tenant("").replace(":8080", ":8080/x"), ":8:12:", "no path"),
        ("origin scheme", tenant("").replace("http://", "ftp://"), ":8:12:", "http:// or https://"),
        ("port 0", tenant("http_port = 0"), ":9:13:", "1..65535"),
        ("port 65536", tenant("https_port = 65536"), ":9:14:", "1..65535"),
        ("certificate alone", tenant("certificate = \"a.pem\""), ":9:15:", "`certificate` without `key`"),
        ("key alone", tenant("key = \"a.key\""), ":9:7:", "`key` without `certificate`"),
        ("same ports", tenant("certificate = \"a\"\nkey = \"b\"\nhttps_port = 80"), ":11:14:", "are both 80"),
        ("worker outside", node("workers = 2") + TENANT + "workers = [2]\n", ":10:12:", "numbered 0..1"),
        ("worker twice", node("workers = 2") + TENANT + "workers = [1, 1]\n", ":10:15:", "written twice"),
        ("mode", tenant("mode = \"on\""), ":9:8:", "block, detect, off"),
        ("rules", tenant("rules = [\"nowhere/*.conf\"]"), ":9:10:", "no file matches"),
        ("paranoia 0", tenant("paranoia_level = 0"), ":9:18:", "1..4"),
        ("paranoia 5", tenant("paranoia_level = 5"), ":9:18:", "1..4"),
        ("header name", tenant("response_headers = { \"a b\" = \"c\" }"), ":9:22:", "no field name"),
        ("header value", tenant("response_headers = { a = \"c\\nd\" }"), ":9:26:", "control character"),
        ("header of ours", tenant("response_headers = { Content-Length = \"1\" }"), ":9:22:", "proxy's own"),
        ("exclusion", tenant("[[tenant.exclusion]]\npath = \"/\""), ":9:1:", "lacks `rule`"),
        (
            "exclusion empty",
            tenant("[[tenant.exclusion]]\nrule = 1\npath = \"\""),
            ":11:8:",
            "`path`: a path starts with /",
        ),
        ("exclusion path", tenant("[[tenant.exclusion]]\nrule = 1\npath = \"a\""), ":11:8:", "starts with /"),
        (
            "exclusion of two kinds",
            tenant("[[tenant.exclusion]]\nrule = 1\ntag = \"a\""),
            ":11:7:",
            "in one exclusion",
        ),
        ("exclusion range", tenant("[[tenant.exclusion]]\nrule = \"9-8\""), ":10:8:", "no range of ids"),
        ("exclusion rule 0", tenant("[[tenant.exclusion]]\nrule = 0"), ":10:8:", "no id"),
        ("exclusion rule type", tenant("[[tenant.exclusion]]\nrule = true"), ":10:8:", "an id or a range"),
        ("id twice", two("", "").replace("id = 2", "id = 1"), ":11:6:", "tenant id 1 is taken"),
        ("fqdn twice", two("", "").replace("two.", "www."), ":12:8:", "served by a tenant above"),
        ("two defaults", two("default = true", "default = true"), ":15:11:", "`default` tenant above"),
        (
            "http against https",
            two("certificate = \"a\"\nkey = \"b\"", "http_port = 443"),
            ":16:13:",
            "443 is HTTP here and TLS",
        ),
        (
            "outside prefixes",
            with_interface("service_prefixes = [\"10.2.0.0/24\"]"),
            ":9:14:",
            "lies outside",
        ),
        ("no prefixes", with_interface(""), ":1:1:", "no `service_prefixes`"),
    ];
    for (name, text, place, words) in table {
        let Err(errors) = parse(Path::new("/etc/waf/node.toml"), &text) else {
            panic!("{name}: accepted\n{text}")
        };
        let shown = errors.to_string();
        assert_eq!(errors.count, 1, "{name}: {shown}");
        assert!(shown.contains(&format!("node.toml{place}")), "{name}: not at {place}\n{shown}");
        assert!(shown.contains(words), "{name}: no {words:?} in\n{shown}");
    }
}

/// The other side of the limits above.
#[test]
fn values_at_the_limits_are_taken() {
    for line in [
        "workers = 1",
        "workers = 64",
        "[ban]\nratio = 0",
        "[ban]\nratio = 1.0",
        "[ban]\nrefused = 1\nttl_s = 1",
        &prefixes(256),
    ] {
        parsed(&format!("{NODE}{line}\n"));
    }
    for line in [
        "id = 2147483647",
        "http_port = 65535",
        "paranoia_level = 4",
        "workers = [63]",
        "response_headers = {}",
    ] {
        let tenant =
            if line.starts_with("id") { TENANT.replace("id = 1", line) } else { format!("{TENANT}{line}\n") };
        parsed(&format!("{NODE}{tenant}"));
    }
}

#[test]
fn ten_mistakes_are_told_at_once() {
    let errors = parse(Path::new("node.toml"), include_str!("tests/ten_mistakes.toml")).err();
    let shown = errors.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(errors.map(|errors| errors.count), Some(10), "{shown}");
    assert!(shown.ends_with("10 mistakes in node.toml"), "{shown}");
}

#[test]
fn a_mistake_is_shown_with_its_line_a_caret_and_the_cure() {
    let errors = parse(Path::new("node.toml"), "[node]\nname = \"a1\"\ncarier = \"carrier-a\"\n").err();
    let shown = errors.map(|errors| errors.to_string()).unwrap_or_default();
    let expected = "node.toml:1:1: [node] lacks `carrier`\n 1 | [node]\n   | ^^^^^^\n   = add carrier = \"carrier-a\"\n\
                    node.toml:3:1: unknown key `carier` in [node]\n 3 | carier = \"carrier-a\"\n   | ^^^^^^\n   \
                    = did you mean `carrier`?\n2 mistakes in node.toml";
    assert_eq!(shown, expected);
}

#[test]
fn a_file_that_is_no_text_is_told_where() {
    let folder = scratch("text");
    let path = folder.join("node.toml");
    std::fs::write(&path, b"[node]\nname = \"a\xff\"\n").unwrap();
    let errors = load(&path).err();
    std::fs::remove_dir_all(folder).unwrap();
    let shown = errors.map(|errors| errors.to_string()).unwrap_or_default();
    assert!(shown.contains("node.toml:2:10: not UTF-8"), "{shown}");
}

#[test]
fn a_file_that_is_no_list_is_told_in_a_few_lines() {
    let folder = scratch("list");
    for (name, lines, expected) in [("all", 5, 5), ("one more", 6, 6), ("any number", 5_000, 6)] {
        std::fs::write(folder.join("list.txt"), "no prefix\n".repeat(lines)).unwrap();
        let text = format!("{NODE}block = [\"list.txt\"]\n");
        let errors = parse(&folder.join("node.toml"), &text).err();
        let shown = errors.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(errors.map(|errors| errors.count), Some(expected), "{name}: {shown}");
        if lines > 5 {
            assert!(shown.contains(&format!("{} more lines", lines - 5)), "{name}: {shown}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn scratch(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("waf-config-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_file_with_mistakes_still_tells_where_its_node_is() {
    let folder = std::env::temp_dir().join(format!("waf-state-dir-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("node.toml");
    let table = [
        ("named", "[node]\nname = \"a\"\nstate_dir = \"/s\"\nwokers = 1\n", Some("/s".into())),
        ("relative", "[node]\nstate_dir = \"s\"\n", Some(folder.join("s"))),
        ("default", "[node]\nname = 7\n", Some("/var/lib/waf".into())),
        ("behind it all is broken", "[node]\nstate_dir = \"/s\"\n[[[\n", Some("/s".into())),
        ("no string", "[node]\nstate_dir = 7\n", None),
        ("no node", "[ban]\n", None),
    ];
    for (name, text, expected) in table {
        std::fs::write(&file, text).unwrap();
        assert_eq!(state_dir(&file), expected, "{name}");
    }
    let _ = std::fs::remove_dir_all(&folder);
}

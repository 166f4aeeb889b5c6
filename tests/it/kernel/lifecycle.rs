//! `waf kernel load | unload | inspect`: what they make, refuse, show and take away.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::unistd::User;
use waf_common::names;
use waf_user::config;
use waf_user::kernel::{Maps, Pins, check_loaded};
use waf_user::model::NodeName;

use super::fixture::{Fixture, inside};

const DEADLINE: Duration = Duration::from_secs(5);

/// What `ip` says of the node's interface and its local routes: changes where anything of ours comes or goes.
fn machine(fixture: &Fixture) -> String {
    let show = |words: &[&str]| {
        let output =
            Command::new("ip").args(["-n", fixture.node.name()]).args(words).output().expect("ip starts");
        String::from_utf8(output.stdout).expect("text")
    };
    let mut routes = show(&["route", "show", "table", "local", "proto", "87"]);
    routes.push_str(&show(&["-6", "route", "show", "table", "local", "proto", "87"]));
    routes.push_str(&show(&["-o", "link", "show", "eth1"]));
    routes
}

fn mode_of(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::metadata(path).expect("metadata");
    (metadata.permissions().mode() & 0o777, metadata.uid(), metadata.gid())
}

#[test]
fn load_and_unload_leave_nothing_behind() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    let before = machine(&fixture);
    assert!(fixture.fail(&["unload"]).contains("nothing is loaded"));
    assert!(fixture.fail(&["inspect"]).contains("nothing is loaded"));
    assert!(fixture.succeed(&["load"]).contains("loaded on eth1 (native)"));
    let loaded = machine(&fixture);
    assert!(
        loaded.contains("10.1.0.0/24") && loaded.contains("fd00:1::/64") && loaded.contains("xdp"),
        "{loaded}"
    );

    let again = fixture.fail(&["load"]);
    assert!(again.contains("already loaded") && again.contains("unload"), "{again}");
    assert_eq!(machine(&fixture), loaded);

    fixture.succeed(&["unload"]);
    assert_eq!(machine(&fixture), before);
    assert!(!fixture.pins().node().exists());
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    assert!(!mounts.contains(&format!("/run/waf/{}", fixture.name)));
}

#[test]
fn a_prefix_of_the_machines_own_network_is_not_loaded() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    fixture.rewrite("10.1.0.0/24", "10.9.0.0/24");
    let before = machine(&fixture);
    let error = fixture.fail(&["load"]);
    assert!(error.contains("10.9.0.0/24 holds 10.9.0.1"), "{error}");
    assert_eq!(machine(&fixture), before);
    assert!(!fixture.pins().node().exists());
}

#[test]
fn unload_takes_away_the_routes_that_were_loaded() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    let before = machine(&fixture);
    fixture.succeed(&["load"]);
    fixture.rewrite("\"fd00:1::/64\"", "\"fd00:2::/64\"");
    fixture.succeed(&["unload"]);
    assert_eq!(machine(&fixture), before);
}

#[test]
fn pins_belong_to_root_and_the_users_group() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    // A hardened root's: what others may read is decided by load alone.
    fixture.succeed_under_umask("077", &["load"]);
    let group = User::from_name("nobody").ok().flatten().expect("nobody").gid.as_raw();
    let pins = fixture.pins();
    for (path, expected) in [
        (pins.node().to_owned(), (0o755, 0, 0)),
        (pins.mount(), (0o750, 0, group)),
        (pins.schema(), (0o750, 0, group)),
        (pins.maps(), (0o750, 0, group)),
        (pins.map(names::MAP_BLOCK4), (0o660, 0, group)),
        (pins.programs(), (0o700, 0, 0)),
        (pins.links(), (0o700, 0, 0)),
    ] {
        assert_eq!(mode_of(&path), expected, "{}", path.display());
    }
}

#[test]
fn an_ordinary_user_reads_the_maps_and_loads_nothing() {
    let Some(fixture) = Fixture::active() else { return };
    let output = fixture.waf_as_nobody(&["inspect", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let inspection: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(inspection["active"], true);
    assert_eq!(inspection["mode"], "native");
    for (words, expected) in [(["load"], "needs root"), (["unload"], "needs root")] {
        let output = fixture.waf_as_nobody(&words);
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(expected), "{words:?}: {error}");
    }
}

#[test]
fn the_nodes_user_writes_the_maps_and_others_do_not_see_them() {
    let Some(fixture) = Fixture::active() else { return };
    let map = fixture.pins().map(names::MAP_BLOCK4);
    let update = |user: &str| {
        let user = User::from_name(user).ok().flatten().expect("a user of every Debian");
        let mut bpftool = fixture.node.command_as(&user, "bpftool");
        bpftool.args(["map", "update", "pinned"]).arg(&map);
        // Node scope, 192.0.2.1/32; an operator's, for ever.
        bpftool.args("key 64 0 0 0 0 0 0 0 192 0 2 1 value 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0".split(' '));
        bpftool.output().expect("bpftool starts")
    };
    let stranger = update("daemon");
    assert!(!stranger.status.success());
    assert!(fixture.maps().blocks().is_empty());
    let own = update("nobody");
    assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stderr));
    assert_eq!(fixture.maps().blocks().len(), 1);
}

#[test]
fn a_foreign_program_is_named_and_left_alone() {
    let Some(fixture) = Fixture::active() else { return };
    // Another node on the same interface: to it the first one's program is foreign.
    let other = fixture.directory().join("other.toml");
    let text = fs::read_to_string(fixture.directory().join("node.toml")).expect("node.toml");
    let name = format!("{}o", fixture.name);
    let text = text
        .replace(fixture.name.as_str(), &name)
        .replace(&format!("waf-test-{name}"), &format!("waf-test-{}", fixture.name));
    fs::write(&other, text).expect("other.toml");
    let before = machine(&fixture);
    let binary = std::env::var_os("WAF_BIN").expect("WAF_BIN");
    let output = fixture
        .node
        .command(binary)
        .args(["kernel", "load", "--config"])
        .arg(&other)
        .output()
        .expect("waf starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains("not ours") && error.contains("waf_xdp") && error.contains("id "), "{error}");
    assert_eq!(machine(&fixture), before);
    assert!(!Pins::of(&NodeName::new(&name).expect("a name")).node().exists());
}

#[test]
fn a_failing_load_undoes_what_it_made() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    // The route is there already, by somebody else: load has by then mounted, pinned and attached sk_lookup.
    fixture.node.ip(["route", "add", "local", "fd00:1::/64", "dev", "lo"]).expect("route");
    let before = machine(&fixture);
    let error = fixture.fail(&["load"]);
    assert!(error.contains("cannot add local route fd00:1::/64"), "{error}");
    assert_eq!(machine(&fixture), before);
    assert!(!fixture.pins().node().exists());

    let garbage = fixture.directory().join("garbage.o");
    fs::write(&garbage, b"no object").expect("garbage");
    let error = fixture.fail(&["load", "--object", garbage.to_str().expect("text")]);
    assert!(error.contains("cannot load object") && error.contains("garbage.o"), "{error}");
    assert!(!fixture.pins().node().exists());
}

#[test]
fn a_driver_without_native_xdp_gets_generic_where_auto_allows_it() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    fixture.rewrite("\"eth1\"", "\"lo\"\nxdp_mode = \"native\"");
    let before = machine(&fixture);
    let error = fixture.fail(&["load"]);
    assert!(error.contains("cannot attach waf_xdp to lo"), "{error}");
    assert_eq!(machine(&fixture), before);
    assert!(!fixture.pins().node().exists());

    fixture.rewrite("\"native\"", "\"auto\"");
    assert!(fixture.succeed(&["load"]).contains("loaded on lo (generic)"));
}

#[test]
fn what_an_interrupted_load_left_is_cleared() {
    let Some(fixture) = Fixture::active() else { return };
    fs::remove_file(fixture.pins().link(names::PROGRAM_XDP)).expect("take the link away");
    assert!(fixture.fail(&["load"]).contains("interrupted load"));
    fixture.succeed(&["unload"]);
    fixture.succeed(&["load"]);
}

#[test]
fn unload_under_a_node_wants_force() {
    let Some(fixture) = Fixture::active() else { return };
    let socket = fixture.directory().join("control.sock");
    let listener = inside(&fixture.node, || UnixListener::bind(&socket).expect("socket"));
    let error = fixture.fail(&["unload"]);
    assert!(error.contains("a node answers") && error.contains("--force"), "{error}");
    fixture.succeed(&["unload", "--force"]);
    fixture.succeed(&["load"]);
    drop(listener);
    // The file is still there, but nobody answers.
    fixture.succeed(&["unload"]);
}

#[test]
fn inspect_names_every_counter() {
    let Some(fixture) = Fixture::active() else { return };
    let table = fixture.succeed(&["inspect"]);
    for outcome in waf_common::outcome::OUTCOMES {
        assert!(table.contains(outcome.name()) && table.contains(outcome.text()), "{outcome:?}");
    }
    assert!(table.contains("active") && table.contains("program waf_xdp"), "{table}");
    let json: serde_json::Value =
        serde_json::from_str(&fixture.succeed(&["inspect", "--json"])).expect("JSON");
    assert_eq!(json["programs"].as_array().map(Vec::len), Some(2));
    assert!(json["counters"]["drop_node"].is_u64());
}

#[test]
fn a_missing_pin_names_path_and_cure() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    let Err(error) = Maps::open(&fixture.name) else { panic!("nothing is loaded") };
    let text = error.to_string();
    assert!(text.contains("/maps/CONFIG") && text.contains("waf kernel load --config"), "{text}");
}

/// What a node says of the kernel half before it serves; nothing where it is content.
fn complaint(fixture: &Fixture) -> Option<String> {
    let (settings, _) = config::load(&fixture.directory().join("node.toml")).expect("node.toml");
    inside(&fixture.node, || check_loaded(&settings).err().map(|error| error.to_string()))
}

#[test]
fn a_node_asks_for_the_kernel_half_of_its_node_toml() {
    let Some(fixture) = Fixture::active() else { return };
    assert_eq!(complaint(&fixture), None);
    let rows = [
        ("another prefix", "10.1.0.0/24", "10.1.0.0/25", "10.1.0.0/24"),
        ("one prefix less", "/24\", \"fd00:1::/64\"]", "/24\"]", "fd00:1::/64"),
        ("open prefixes", "workers = 2", "workers = 2\nonly_services = false", "only_services"),
    ];
    for (name, from, to, expected) in rows {
        fixture.rewrite(from, to);
        let text = complaint(&fixture).unwrap_or_else(|| panic!("{name}: content"));
        assert!(text.contains(expected), "{name}: {text}");
        fixture.rewrite(to, from);
    }
    fs::remove_file(fixture.pins().link(names::PROGRAM_XDP)).expect("take the link away");
    // The kernel detaches in a worker of its own, a moment after the last reference went.
    let deadline = Instant::now() + DEADLINE;
    let text = loop {
        match complaint(&fixture) {
            Some(text) => break text,
            None => assert!(Instant::now() < deadline, "content for ever"),
        }
    };
    assert!(text.contains("eth1 has no XDP program"), "{text}");
}

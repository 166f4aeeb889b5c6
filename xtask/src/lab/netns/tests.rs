//! Namespaces on the real machine, as root; elsewhere the tests say what they miss.

use nix::unistd::{Uid, User};

use super::{End, Namespace, cable, delete, names, owner, unique};
use crate::process;

fn root() -> bool {
    let root = Uid::effective().is_root() && process::find("ip").is_some();
    if !root {
        println!("skipped: no root for network namespaces");
    }
    root
}

#[test]
fn names_of_one_process_differ() {
    assert_ne!(unique(), unique());
}

#[test]
fn a_name_says_which_process_made_it() {
    assert_eq!(owner(&unique()), Some(std::process::id()));
    for (word, pid) in [
        ("pid12x0", Some(12)),
        ("pid12x", None),
        ("pid12", None),
        ("p12x0", None),
        ("pid-1x0", None),
        ("pidx", None),
    ] {
        assert_eq!(owner(word), pid, "{word}");
    }
}

#[test]
fn foreign_namespaces_are_never_removed() {
    assert!(delete("cni-1234").is_err());
}

#[test]
fn two_namespaces_reach_each_other_in_both_families_and_go_on_drop() {
    if !root() {
        return;
    }
    let (left, right) = (format!("{}l", unique()), format!("{}r", unique()));
    let a = Namespace::new(&left).unwrap();
    let b = Namespace::new(&right).unwrap();
    cable(
        End { namespace: &a, device: "eth1", addresses: &["10.0.0.1/24", "fd00::1/64"] },
        End { namespace: &b, device: "eth1", addresses: &["10.0.0.2/24", "fd00::2/64"] },
    )
    .unwrap();
    b.ip(["route", "add", "local", "10.9.0.0/24", "dev", "lo"]).unwrap();
    a.route("10.9.0.0/24", "10.0.0.2".parse().unwrap()).unwrap();
    let routed = process::text(a.command("ip").args(["route", "get", "10.9.0.7"])).unwrap();
    assert!(routed.contains("via 10.0.0.2 dev eth1"), "{routed}");
    let routed = process::text(a.command("ip").args(["-6", "route", "get", "fd00::2"])).unwrap();
    assert!(routed.contains("dev eth1"), "{routed}");

    let mine = [a.name().to_owned(), b.name().to_owned()];
    assert!(mine.iter().all(|name| names().contains(name)));
    drop((a, b));
    assert!(!mine.iter().any(|name| names().contains(name)));
}

#[test]
fn a_command_as_a_user_holds_no_capability() {
    if !root() {
        return;
    }
    let namespace = Namespace::new(&unique()).unwrap();
    let nobody = User::from_name("nobody").unwrap().unwrap();
    let status = process::text(namespace.command_as(&nobody, "cat").arg("/proc/self/status")).unwrap();
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(status.contains(&format!("{set}:\t0000000000000000")), "{status}");
    }
    let uid = nobody.uid;
    assert!(status.contains(&format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}")), "{status}");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
}

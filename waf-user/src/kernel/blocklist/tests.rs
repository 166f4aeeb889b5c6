//! Block entries as a trie answers for them: what covers what, until when, in which order of changes.

use super::*;

const NEVER: u32 = 0;

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

fn entry(scope: u32, prefix: &str, reason: Reason, expires_s: u32) -> BlockEntry {
    BlockEntry { scope, prefix: net(prefix), reason, tenant: scope, expires_s }
}

fn ban(scope: u32, prefix: &str, expires_s: u32) -> BlockEntry {
    entry(scope, prefix, Reason::Ban, expires_s)
}

/// What the tries hold after some changes, and what the kernel would answer from them.
#[derive(Default)]
struct Tries(BTreeMap<(u32, IpNet), BlockValue>);

impl Tries {
    fn apply(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Set { scope, prefix, value } => {
                    self.0.insert((scope, prefix), value);
                }
                Write::Remove { scope, prefix } => {
                    self.0.remove(&(scope, prefix));
                }
            }
        }
    }

    /// The longest match, if it is live.
    fn is_blocked(&self, scope: u32, source: &str, now_s: u32) -> bool {
        let source = net(source);
        self.0
            .iter()
            .filter(|((other, prefix), _)| *other == scope && prefix.contains(&source))
            .max_by_key(|((_, prefix), _)| prefix.prefix_len())
            .is_some_and(|(_, value)| value.is_live(now_s))
    }
}

/// Applies entries one after the other.
fn filled(entries: &[BlockEntry]) -> (Blocklist, Tries) {
    let mut list = Blocklist::new(100);
    let mut tries = Tries::default();
    for entry in entries {
        tries.apply(list.insert(*entry).expect("room"));
    }
    (list, tries)
}

#[test]
fn longest_match_does_not_hide_what_covers_it() {
    let host = "198.51.100.7/32";
    let rows: &[(&str, &[BlockEntry], u32, bool)] = &[
        ("alone, before its end", &[ban(0, host, 100)], 99, true),
        ("alone, at its end", &[ban(0, host, 100)], 100, false),
        ("short /32 under a longer /24", &[ban(0, host, 100), ban(0, "198.51.100.0/24", 200)], 150, true),
        ("the same in the other order", &[ban(0, "198.51.100.0/24", 200), ban(0, host, 100)], 150, true),
        ("both ended", &[ban(0, "198.51.100.0/24", 200), ban(0, host, 100)], 200, false),
        ("long /32 under a shorter /24", &[ban(0, host, 200), ban(0, "198.51.100.0/24", 100)], 150, true),
        ("/24 of another scope", &[ban(0, host, 100), ban(5, "198.51.100.0/24", 200)], 150, false),
        ("/24 beside it", &[ban(0, host, 100), ban(0, "198.51.101.0/24", 200)], 150, false),
        ("never beats all", &[ban(0, "0.0.0.0/0", NEVER), ban(0, host, 100)], 4_000_000, true),
        (
            "three deep",
            &[ban(0, "198.0.0.0/8", 300), ban(0, "198.51.100.0/24", 200), ban(0, host, 100)],
            250,
            true,
        ),
    ];
    for (name, entries, now_s, expected) in rows {
        assert_eq!(filled(entries).1.is_blocked(0, host, *now_s), *expected, "{name}");
    }
}

#[test]
fn removal_gives_back_the_own_expiry() {
    let host = "2001:db8::7/128";
    let (mut list, mut tries) = filled(&[ban(9, "2001:db8::/64", 200), ban(9, host, 100)]);
    assert!(tries.is_blocked(9, host, 150));
    tries.apply(list.remove(9, net("2001:db8::/64"), |_| true));
    assert!(tries.is_blocked(9, host, 99));
    assert!(!tries.is_blocked(9, host, 150));
    assert_eq!(tries.0.len(), 1);
    assert!(list.remove(9, net("2001:db8::/64"), |_| true).is_empty(), "nothing to remove twice");
}

/// What a node finds in the tries that another one left.
fn adopted(tries: &Tries) -> Blocklist {
    let mut list = Blocklist::new(100);
    for ((scope, prefix), value) in &tries.0 {
        let BlockValue { reason, expires_s, tenant, .. } = *value;
        let reason = Reason::from_number(reason).expect("a reason of ours");
        list.adopt(BlockEntry { scope: *scope, prefix: *prefix, reason, tenant, expires_s });
    }
    list
}

#[test]
fn a_restart_finds_the_entries_that_were_made() {
    let (host, net24) = ("198.51.100.7/32", "198.51.100.0/24");
    let rows: &[(&str, [BlockEntry; 2])] = &[
        ("rules' /32 under an operator's /24", [entry(0, net24, Reason::Operator, NEVER), ban(0, host, 100)]),
        ("/32 under a listed /24", [entry(0, net24, Reason::List, NEVER), ban(0, host, 100)]),
        ("short /32 under a longer /24", [ban(0, net24, 200), ban(0, host, 100)]),
        ("long /32 under a shorter /24", [ban(0, net24, 100), ban(0, host, 200)]),
    ];
    for (name, entries) in rows {
        let (list, tries) = filled(entries);
        let found = adopted(&tries);
        assert!(found.iter().eq(list.iter()), "{name}: {:?}", found.iter().collect::<Vec<_>>());
    }
}

#[test]
fn list_and_ban_of_one_prefix_live_side_by_side() {
    let prefix = "203.0.113.0/24";
    let list_entry = entry(0, prefix, Reason::List, NEVER);
    let (mut list, mut tries) = filled(&[list_entry, ban(0, prefix, 100)]);
    assert_eq!(list.iter().count(), 2);
    assert_eq!(tries.0.len(), 1);
    tries.apply(list.remove(0, net(prefix), |entry| entry.reason != Reason::List));
    assert!(tries.is_blocked(0, "203.0.113.9/32", 1_000));
    tries.apply(list.insert(ban(0, prefix, 300)).expect("room"));
    tries.apply(list.remove(0, net(prefix), |entry| entry.reason == Reason::List));
    assert!(tries.is_blocked(0, "203.0.113.9/32", 299));
    assert!(!tries.is_blocked(0, "203.0.113.9/32", 300));
}

#[test]
fn a_renewed_ban_replaces_the_old_one() {
    let (list, tries) = filled(&[ban(0, "192.0.2.1/32", 100), ban(0, "192.0.2.1/32", 50)]);
    assert_eq!(list.iter().count(), 1);
    assert!(!tries.is_blocked(0, "192.0.2.1/32", 50));
}

#[test]
fn reaping_takes_the_expired_only() {
    let (mut list, mut tries) =
        filled(&[ban(0, "192.0.2.1/32", 100), ban(0, "192.0.2.2/32", 101), ban(0, "192.0.2.3/32", NEVER)]);
    tries.apply(list.reap(100));
    let left: Vec<u32> = list.iter().map(|entry| entry.expires_s).collect();
    assert_eq!(left, [101, NEVER]);
    assert_eq!(tries.0.len(), 2);
}

#[test]
fn the_list_is_bounded() {
    let mut list = Blocklist::new(1);
    assert!(list.insert(ban(0, "192.0.2.1/32", 1)).is_ok());
    assert!(list.insert(ban(0, "192.0.2.1/32", 2)).is_ok(), "a renewal needs no room");
    assert!(matches!(list.insert(ban(0, "192.0.2.2/32", 1)), Err(KernelError::Full { max: 1 })));
}

#[test]
fn a_renewed_list_needs_room_for_itself_only() {
    let listed = |prefix| entry(0, prefix, Reason::List, NEVER);
    let (old, new) =
        ([listed("192.0.2.1/32"), listed("192.0.2.2/32")], [listed("192.0.2.3/32"), listed("192.0.2.4/32")]);
    let mut list = Blocklist::new(3);
    let mut tries = Tries::default();
    tries.apply(list.insert(ban(0, "192.0.2.4/32", 100)).expect("room"));
    tries.apply(list.replace(Reason::List, &old).expect("room"));
    tries.apply(list.replace(Reason::List, &new).expect("room"));
    let keys: Vec<String> = tries.0.keys().map(|(_, prefix)| prefix.to_string()).collect();
    assert_eq!(keys, ["192.0.2.3/32", "192.0.2.4/32"]);
    assert_eq!(list.iter().count(), 3, "the ban beside the list stays");
    let four = ["192.0.2.5/32", "192.0.2.6/32", "192.0.2.7/32"].map(listed);
    assert!(matches!(list.replace(Reason::List, &four), Err(KernelError::Full { max: 3 })));
    assert_eq!(list.iter().count(), 3, "nothing has changed");
}

//! What nodes are told: what changed, or all where that is not known.

use super::node::Node;
use super::*;
use crate::control::bans::entry::store_key;
use crate::control::bans::limits::{HISTORY_LEN_MAX, PART_LEN};
use crate::control::store::{self, Change, Changes, Entry, Listing};

fn entry(key: BanKey, revision: u64) -> Entry {
    let terms = Terms { expires: None, source: BanSource::Import, reason: String::new() };
    let modified = store::Revision(revision);
    Entry { key: store_key(key).unwrap(), value: terms.bytes(), created: modified, modified, lease: None }
}

fn fleet(at: u32) -> BanKey {
    BanKey { scope: FleetScope::Fleet, prefix: numbered(at) }
}

fn listing(revision: u64, count: u32) -> Listing {
    let entries = (0..count).map(|at| entry(fleet(at), revision)).collect();
    Listing { revision: store::Revision(revision), entries }
}

fn put(known: &mut Known, revision: u64, at: u32) {
    let changes = vec![Change::Put(entry(fleet(at), revision))];
    known.change(Changes { revision: store::Revision(revision), changes });
}

fn told(known: &Known, seen: u64) -> (bool, usize, usize, usize) {
    let mut telling = Telling::since(known, seen, &BTreeSet::new());
    let parts: Vec<Bans> = std::iter::from_fn(|| telling.next(known, Wall(START))).collect();
    for (at, part) in parts.iter().enumerate() {
        assert_eq!(part.is_last, at + 1 == parts.len());
        assert_eq!(part.revision, known.revision());
    }
    let put = parts.iter().map(|part| part.put.len()).sum();
    let lifted = parts.iter().map(|part| part.lifted.len()).sum();
    (parts.first().is_some_and(|part| part.is_whole), parts.len(), put, lifted)
}

#[test]
fn parts_are_of_one_length_but_the_last() {
    for (count, parts) in [(0, 1), (1, 1), (PART_LEN - 1, 1), (PART_LEN, 2), (2 * PART_LEN + 1, 3)] {
        let mut known = Known::default();
        known.list(listing(5, u32::try_from(count).unwrap()));
        assert_eq!(told(&known, 0), (true, parts, count, 0), "{count}");
        assert_eq!(told(&known, 5), (false, 0, 0, 0), "{count}: heard all");
    }
}

#[test]
fn the_history_reaches_so_far_back() {
    let mut known = Known::default();
    known.list(listing(5, 3));
    put(&mut known, 8, 10);
    put(&mut known, 9, 11);
    let gone = vec![Change::Deleted(store_key(fleet(10)).unwrap())];
    known.change(Changes { revision: store::Revision(12), changes: gone });
    let cases = [
        ("a node that starts", 0, (true, 1, 4, 0)),
        ("before the listing", 4, (true, 1, 4, 0)),
        ("the listing", 5, (false, 1, 1, 1)),
        ("between revisions of bans", 7, (false, 1, 1, 1)),
        ("the first change", 8, (false, 1, 1, 1)),
        ("the second", 9, (false, 1, 0, 1)),
        ("after it", 11, (false, 1, 0, 1)),
        ("all", 12, (false, 0, 0, 0)),
        ("of another store", 13, (true, 1, 4, 0)),
    ];
    for (name, seen, expected) in cases {
        assert_eq!(told(&known, seen), expected, "{name}");
    }
}

#[test]
fn the_oldest_history_is_forgotten_whole() {
    let mut known = Known::default();
    known.list(listing(5, 1));
    let count = u64::try_from(HISTORY_LEN_MAX).unwrap();
    // Two bans a revision, so that a revision lies on the edge.
    for revision in 6..=6 + count / 2 {
        let changes = (0..2).map(|at| Change::Put(entry(fleet(at), revision))).collect();
        known.change(Changes { revision: store::Revision(revision), changes });
    }
    for (seen, is_whole) in [(5, true), (6, false), (7, false)] {
        assert_eq!(told(&known, seen).0, is_whole, "{seen}");
    }
}

#[test]
fn of_a_listing_anew_all_is_told() {
    let mut known = Known::default();
    known.list(listing(5, 3));
    put(&mut known, 8, 10);
    // The changes in between are forgotten; one ban may have come and gone, of which others have told.
    let entries = vec![entry(fleet(1), 5), entry(fleet(10), 8), entry(fleet(20), 11)];
    known.list(Listing { revision: store::Revision(14), entries });
    assert_eq!(told(&known, 8), (true, 1, 3, 0));
    assert_eq!(told(&known, 14), (false, 0, 0, 0));
    assert_eq!(known.total().of_people, 3);
    put(&mut known, 15, 30);
    assert_eq!(told(&known, 14), (false, 1, 1, 0), "and from there on what changes");
    // A backup was restored: what nodes saw since is another story.
    known.list(listing(6, 2));
    assert_eq!(told(&known, 6), (false, 0, 0, 0));
    assert_eq!(told(&known, 5), (true, 1, 2, 0));
    assert_eq!(told(&known, 14), (true, 1, 2, 0));
    assert_eq!(known.total().of_people, 2);
}

#[test]
fn what_no_waf_wrote_bans_nobody() {
    let mut known = Known::default();
    let mut entries = Vec::new();
    for (key, value) in [
        ("ban/fleet/192.0.2.0/24", "{}"),
        ("ban/fleet/192.0.2.1/24", r#"{"origin":"import"}"#),
        ("ban/tenant:0/192.0.2.0/24", r#"{"origin":"import"}"#),
        ("ban/everywhere/192.0.2.0/24", r#"{"origin":"import"}"#),
        ("ban/fleet", r#"{"origin":"import"}"#),
        ("ban/fleet/198.51.100.0/24", r#"{"origin":"import","later":"words"}"#),
    ] {
        let key = key.parse().unwrap();
        let modified = store::Revision(3);
        entries.push(Entry { key, value: value.into(), created: modified, modified, lease: None });
    }
    known.list(Listing { revision: store::Revision(3), entries });
    assert_eq!(told(&known, 0), (true, 1, 1, 0));
}

#[tokio::test]
async fn nodes_hear_of_the_fleet_and_of_their_tenants() {
    let folder = Folder::new("bans");
    let (store, hands) = (sqlite(&folder), Hands::new());
    let book = open(&store, &hands).await;
    let mut nodes = [Node::new([]), Node::new([7]), Node::new([7, 8])];
    for (place, at) in
        [(Where::Fleet, 0), (site("www.example.jp", &[7]), 1), (site("www.example.com", &[8]), 2)]
    {
        book.put(&place, vec![making(numbered(at), 10, false)], &operator(), hands.now()).await.unwrap();
        for (node, count) in nodes.iter_mut().zip([1, 1 + at.min(1), 1 + at]) {
            node.hear(&book);
            assert_eq!(node.holds(hands.now()).len(), usize::try_from(count).unwrap(), "{place:?}");
            assert_eq!(node.holds(hands.now()), node.due(&book));
            assert_eq!(node.hear(&book), 0, "all heard");
        }
    }
    // It serves another tenant from now on, of which it hears beside all else.
    let [_, node, _] = &mut nodes;
    node.tenants = BTreeSet::from([7, 8]);
    let mut telling = book.telling_of(&BTreeSet::from([8]), node.seen);
    let parts: Vec<Bans> = std::iter::from_fn(|| book.next(&mut telling)).collect();
    assert_eq!(parts.iter().map(|part| part.put.len()).sum::<usize>(), 1);
    parts.into_iter().for_each(|part| node.take(part, hands.now()));
    assert_eq!(node.holds(hands.now()), node.due(&book));
    assert_eq!(node.hear(&book), 0, "all heard");
    // What has run out is not put; what was heard longer is lifted.
    let shorter = vec![making(numbered(0), 5, false)];
    book.put(&Where::Fleet, shorter, &operator(), hands.now()).await.unwrap();
    hands.go(5 * MINUTE);
    node.hear(&book);
    assert_eq!(node.holds(hands.now()), node.due(&book));
    assert_eq!(node.holds(hands.now()).len(), 2);
}

//! Both sides of each bound.

use super::*;
use crate::control::bans::limits::{BANS_MAX, RULE_BANS_MAX, TENANT_BANS_MAX};
use crate::control::bans::{entry::store_key, room};
use crate::control::store::{self, Entry, Listing};

const SITE: FleetScope = FleetScope::Tenant(7);

fn known(there: &[(FleetScope, BanSource, usize)]) -> Known {
    let modified = store::Revision(1);
    let mut entries = Vec::new();
    for (scope, source, count) in there {
        let terms = Terms { expires: None, source: *source, reason: String::new() };
        for at in 0..u32::try_from(*count).unwrap() {
            let key = store_key(BanKey { scope: *scope, prefix: numbered(at) }).unwrap();
            entries.push(Entry { key, value: terms.bytes(), created: modified, modified, lease: None });
        }
    }
    let mut known = Known::default();
    known.list(Listing { revision: modified, entries });
    known
}

/// `new` ones besides the first `again` ones.
fn wishes(scope: FleetScope, source: BanSource, again: usize, new: usize) -> Wishes {
    const FAR: u32 = 1_000_000;
    let (again, new) = (u32::try_from(again).unwrap(), u32::try_from(new).unwrap());
    let terms = Terms { expires: None, source, reason: String::new() };
    let key = |at| (BanKey { scope, prefix: numbered(at) }, Wish::Lengthen(terms.clone()));
    (0..again).chain(FAR..FAR + new).map(key).collect()
}

#[test]
fn people_fill_their_room_and_no_more() {
    use BanSource::{Import, Operator, Rules};
    use FleetScope::Fleet;
    let cases = [
        ("the fleet's whole", vec![(Fleet, Import, BANS_MAX - 2)], wishes(Fleet, Import, 0, 2), None),
        (
            "one too many",
            vec![(Fleet, Import, BANS_MAX - 2)],
            wishes(Fleet, Operator, 0, 3),
            Some(format!("3 bans more than the {} there are: a fleet holds {BANS_MAX}", BANS_MAX - 2)),
        ),
        ("the same again", vec![(Fleet, Import, BANS_MAX)], wishes(Fleet, Import, 100, 0), None),
        ("rules take no room", vec![(Fleet, Rules, 100)], wishes(Fleet, Import, 0, BANS_MAX), None),
        (
            "a ban of rules becomes a person's",
            vec![(SITE, Rules, 1), (Fleet, Import, BANS_MAX)],
            wishes(SITE, Operator, 1, 0),
            Some(format!("1 bans more than the {BANS_MAX} there are: a fleet holds")),
        ),
        ("a site's whole", vec![(SITE, Import, 1)], wishes(SITE, Import, 1, TENANT_BANS_MAX - 1), None),
        (
            "of a site one too many",
            vec![(SITE, Import, 1)],
            wishes(SITE, Import, 0, TENANT_BANS_MAX),
            Some(format!("{TENANT_BANS_MAX} bans more than the 1 there are: a site holds {TENANT_BANS_MAX}")),
        ),
    ];
    for (name, there, wishes, expected) in cases {
        let error = room::for_people(&known(&there), &wishes).err().map(|error| error.to_string());
        match (&error, &expected) {
            (Some(error), Some(expected)) if error.starts_with(expected.as_str()) => {}
            (None, None) => {}
            _ => panic!("{name}: {error:?}, not {expected:?}"),
        }
    }
}

#[test]
fn rules_fill_theirs_and_the_others_are_counted() {
    use BanSource::{Import, Rules};
    use FleetScope::{Fleet, Tenant};
    let half = TENANT_BANS_MAX;
    assert_eq!(half * 2, RULE_BANS_MAX);
    let cases = [
        ("room", vec![(Tenant(1), Rules, half), (Tenant(2), Rules, half - 2)], 2, 0),
        ("none for the last", vec![(Tenant(1), Rules, half), (Tenant(2), Rules, half - 2)], 3, 1),
        ("a tenant's", vec![(SITE, Rules, half - 1)], 3, 2),
        ("people take none", vec![(Fleet, Import, BANS_MAX)], 3, 0),
    ];
    for (name, there, new, expected) in cases {
        let known = known(&there);
        let mut wishes = wishes(SITE, Rules, 0, new);
        assert_eq!(room::for_rules(&known, &mut wishes), expected, "{name}");
        assert_eq!(wishes.len(), new - expected, "{name}");
    }
    let known = known(&[(SITE, Rules, half)]);
    let lift = (BanKey { scope: SITE, prefix: numbered(9_000_000) }, Wish::Lift);
    let mut kept = wishes(SITE, Rules, 5, 0);
    kept.extend([lift]);
    assert_eq!(room::for_rules(&known, &mut kept), 0, "lifts and what is there already need none");
}

#[tokio::test]
async fn what_no_node_enforces_is_refused() {
    let folder = Folder::new("bans");
    let (store, hands) = (sqlite(&folder), Hands::new());
    let book = open(&store, &hands).await;
    for (prefix, is_refused) in
        [("10.1.0.0/16", false), ("10.0.0.0/15", true), ("2001:db8::/32", false), ("2001:c00::/23", true)]
    {
        let bans = vec![making(net("192.0.2.0/24"), 0, false), making(net(prefix), 0, false)];
        let error = book.put(&Where::Fleet, bans, &operator(), hands.now()).await.err();
        assert_eq!(error.map(|error| error.to_string().starts_with(prefix)), is_refused.then_some(true));
        let ban = of_rules(SITE, net(prefix), 1);
        assert_eq!(book.put_of_node(&name("a1"), ban, hands.now()).is_err(), is_refused, "{prefix}");
        let lifted = book.lift(&Where::Fleet, vec![net("192.0.2.0/24")], &operator(), hands.now()).await;
        assert_eq!(lifted.unwrap(), u64::from(!is_refused), "all of them or none");
    }
}

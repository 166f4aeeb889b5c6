//! Bans in a real store: what is made holds everywhere, in one order, until it ends or is lifted.

mod engines;
mod listed;
mod node;
mod nodes;
mod property;
mod room;
mod since;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::limits::SWEEP_AFTER_MS;
use super::*;
use crate::control::audit::aside;
use crate::control::environment::Customer;
use crate::control::store::{Folder, Prefix, SqliteStore};
use crate::model::sync::FleetScope;

/// Some moment of 2026, ms.
const START: u64 = 1_790_000_000_000;
const MINUTE: u64 = 60_000;

/// A clock that goes when told.
#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(START)))
    }

    fn now(&self) -> Wall {
        Wall(self.0.load(Ordering::Relaxed))
    }

    fn go(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.now())
    }
}

fn sqlite(folder: &Folder) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(folder.path()).unwrap())
}

async fn open(store: &Arc<dyn Store>, hands: &Hands) -> Arc<BanBook> {
    BanBook::open_at(Arc::clone(store), hands.clock()).await.unwrap()
}

fn operator() -> Actor {
    Actor::Operator("ayumi".to_owned())
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn numbered(at: u32) -> IpNet {
    IpNet::from(std::net::IpAddr::from((0x0a00_0000 + at).to_be_bytes()))
}

fn site(fqdn: &str, tenants: &[u32]) -> Where {
    let tenants = tenants.iter().map(|id| TenantId::new(u64::from(*id)).unwrap());
    Where::Site(Fqdn::new(fqdn).unwrap(), tenants.collect())
}

/// For minutes; 0 is for ever.
fn making(prefix: IpNet, minutes: u64, imported: bool) -> Making {
    let expires = (minutes != 0).then_some(Wall(START + minutes * MINUTE));
    Making { prefix, expires, reason: String::new(), imported }
}

fn of_rules(scope: FleetScope, prefix: IpNet, minutes: u64) -> BanRecord {
    BanRecord {
        scope,
        prefix,
        source: BanSource::Rules,
        left_ms: Some(minutes * MINUTE),
        reason: String::new(),
    }
}

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

/// All that hold, with their ends.
fn all(book: &BanBook) -> BTreeMap<(FleetScope, IpNet), u64> {
    let (known, now) = (book.known(), book.now());
    let scopes = [FleetScope::Fleet].into_iter().chain((1..20).map(FleetScope::Tenant));
    let there = scopes.flat_map(|scope| {
        let there = known.of_scope(scope, None).filter(|(_, kept)| !kept.terms.is_over(now));
        there.map(move |(prefix, kept)| ((scope, prefix), kept.terms.end())).collect::<Vec<_>>()
    });
    there.collect()
}

/// Waits until a book has heard what makes this true.
async fn until(book: &BanBook, what: impl Fn(&BanBook) -> bool) {
    let mut changed = book.changed();
    let heard = changed.wait_for(|_| what(book));
    let heard = tokio::time::timeout(std::time::Duration::from_secs(30), heard).await;
    heard.expect("heard in time").unwrap();
}

#[tokio::test]
async fn what_one_process_makes_or_lifts_holds_in_all() {
    let folder = Folder::new("bans");
    let (store, hands) = (sqlite(&folder), Hands::new());
    let (one, other) = (open(&store, &hands).await, open(&store, &hands).await);
    let here = site("www.example.jp", &[7]);
    let makings = vec![making(net("192.0.2.0/24"), 10, false), making(net("2001:db8::/64"), 0, false)];
    assert_eq!(one.put(&here, makings.clone(), &operator(), hands.now()).await.unwrap(), 2);
    let tenant = FleetScope::Tenant(7);
    let expected = BTreeMap::from([
        ((tenant, net("192.0.2.0/24")), START + 10 * MINUTE),
        ((tenant, net("2001:db8::/64")), u64::MAX),
    ]);
    assert_eq!(all(&one), expected, "heard before it is answered");
    until(&other, |other| all(other) == expected).await;
    assert_eq!(one.put(&here, makings, &operator(), hands.now()).await.unwrap(), 0, "so already");
    assert_eq!(all(&*open(&store, &hands).await), expected, "also after opening again");
    let lifted = vec![net("192.0.2.0/24"), net("198.51.100.0/24")];
    assert_eq!(other.lift(&here, lifted, &operator(), hands.now()).await.unwrap(), 1);
    until(&one, |one| all(one).len() == 1).await;
}

/// One ban, said again by somebody else: what holds afterwards.
#[tokio::test]
async fn a_person_says_what_counts_and_lists_and_rules_only_lengthen() {
    #[derive(Clone, Copy, Debug)]
    enum Maker {
        Person,
        List,
        Rules,
    }
    use Maker::{List, Person, Rules};
    const NEVER: u64 = 0;
    let cases = [
        // there, minutes, then, minutes, holds minutes
        ((Person, 60), (Person, 10), 10),
        ((Person, NEVER), (Person, 10), 10),
        ((Person, NEVER), (List, 10), NEVER),
        ((Person, NEVER), (Rules, 10), NEVER),
        ((Person, 10), (List, 60), 60),
        ((Person, 10), (Rules, 60), 60),
        ((List, 60), (Rules, 10), 60),
        ((List, 60), (List, NEVER), NEVER),
        ((Rules, 60), (Person, 10), 10),
        ((Rules, 60), (List, 10), 60),
        // A tenth more is no reason to tell the fleet anew; more is.
        ((Rules, 90), (Rules, 100), 90),
        ((Rules, 89), (Rules, 100), 100),
    ];
    let folder = Folder::new("bans");
    let (store, hands) = (sqlite(&folder), Hands::new());
    let book = open(&store, &hands).await;
    for (at, (there, then, holds)) in cases.into_iter().enumerate() {
        let prefix = numbered(u32::try_from(at).unwrap());
        for (by, minutes) in [there, then] {
            let ban = vec![making(prefix, minutes, matches!(by, List))];
            match by {
                Person | List => {
                    book.put(&Where::Fleet, ban, &operator(), hands.now()).await.unwrap();
                }
                Rules => {
                    let mut wishes = Wishes::new();
                    let ban = of_rules(FleetScope::Fleet, prefix, minutes);
                    book.put_of_node(&name("a1"), ban, hands.now()).unwrap();
                    wishes.append(&mut book.waiting().take());
                    let written = book.write(wishes, None, hands.now()).await.unwrap();
                    until(&book, |book| book.known().revision() >= written.revision.0).await;
                }
            }
        }
        let end = all(&book).get(&(FleetScope::Fleet, prefix)).copied();
        let expected = if holds == NEVER { u64::MAX } else { START + holds * MINUTE };
        assert_eq!(end, Some(expected), "{there:?} then {then:?}");
    }
}

#[tokio::test]
async fn what_has_run_out_holds_nowhere_and_is_removed_later() {
    let folder = Folder::new("bans");
    let (store, hands) = (sqlite(&folder), Hands::new());
    let (one, other) = (open(&store, &hands).await, open(&store, &hands).await);
    let makings = (0..3).map(|at| making(numbered(at), 1 + u64::from(at), false)).collect();
    one.put(&Where::Fleet, makings, &operator(), hands.now()).await.unwrap();
    until(&other, |other| all(other).len() == 3).await;
    hands.go(MINUTE - 1);
    assert_eq!(all(&one).len(), 3);
    hands.go(1);
    assert_eq!(all(&one).len(), 2, "over to the millisecond");
    let lifted = one.lift(&Where::Fleet, vec![numbered(0)], &operator(), hands.now()).await.unwrap();
    assert_eq!(lifted, 0, "no ban");
    assert_eq!(one.sweep(hands.now()).await.unwrap(), 0, "another clock may be behind");
    hands.go(SWEEP_AFTER_MS);
    assert_eq!(one.sweep(hands.now()).await.unwrap(), 1);
    until(&other, |other| {
        other.known().ban(&BanKey { scope: FleetScope::Fleet, prefix: numbered(0) }).is_none()
    })
    .await;
    // All are over by now, and one of them is made longer before the other process has heard of it.
    hands.go(10 * MINUTE);
    let stale = other.known().over(hands.now());
    assert_eq!(stale.len(), 2);
    let longer = vec![making(numbered(1), 60, false)];
    one.put(&Where::Fleet, longer, &operator(), hands.now()).await.unwrap();
    assert_eq!(other.remove(stale).await.unwrap(), 0, "all of them or none");
    until(&other, |other| all(other).len() == 1).await;
    assert_eq!(other.sweep(hands.now()).await.unwrap(), 1);
    assert_eq!(all(&one).len(), 1);
}

#[tokio::test]
async fn what_people_do_is_told_in_the_audit_log() {
    let folder = Folder::new("bans");
    let (store, hands) = (sqlite(&folder), Hands::new());
    let book = open(&store, &hands).await;
    let customer = Customer::new("acme").unwrap();
    let theirs = Actor::Customer { customer, token: "ci".to_owned() };
    let here = site("www.example.jp", &[7, 8]);
    let mut ban = making(net("192.0.2.0/24"), 0, false);
    ban.reason = "tries Authorization: Bearer abc".to_owned();
    let with_key =
        Making { reason: "-----BEGIN PRIVATE KEY-----".to_owned(), ..making(numbered(1), 0, false) };
    let made = book.put(&here, vec![ban.clone(), with_key], &theirs, hands.now()).await.unwrap();
    assert_eq!(made, 2, "at both of its environments, and counted once");
    book.put(&here, vec![ban], &theirs, hands.now()).await.unwrap();
    let many = (0..150).map(|at| making(numbered(at), 10, true)).collect();
    book.put(&Where::Fleet, many, &operator(), hands.now()).await.unwrap();
    book.lift(&here, vec![net("192.0.2.0/24"), numbered(99)], &operator(), hands.now()).await.unwrap();
    book.put_of_node(&name("a1"), of_rules(FleetScope::Tenant(7), numbered(5), 10), hands.now()).unwrap();
    until(&book, |book| all(book).contains_key(&(FleetScope::Tenant(7), numbered(5)))).await;

    let mut told = Vec::new();
    for number in 1..=aside::count(&*store).await.unwrap() {
        let entry = aside::entry(&*store, number).await.unwrap().unwrap();
        let [change] = entry.changes.as_slice() else { panic!("{entry:?}") };
        told.push((
            entry.actor.clone(),
            change.subject.clone(),
            change.action.clone(),
            change.differences.len(),
        ));
        let text = format!("{entry:?}");
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
    let line = |actor: &str, subject: &str, action: &str, count| {
        (actor.to_owned(), subject.to_owned(), action.to_owned(), count)
    };
    let expected = vec![
        line("customer acme (ci)", "bans of site www.example.jp", "ban", 2),
        line("operator ayumi", "bans of the fleet", "import", 100),
        line("operator ayumi", "bans of the fleet", "import", 50),
        line("operator ayumi", "bans of site www.example.jp", "lift", 1),
    ];
    assert_eq!(told, expected, "nothing of what changed nothing, nothing of rules");
}

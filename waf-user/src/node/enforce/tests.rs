//! A ban in the kernel's tables, in the lists and on open connections.

use waf_common::block::Reason;

use super::*;
use crate::node::tests::{Tables, configured, id, net};
use crate::proxy::ListVerdict;

struct Fixture {
    enforcer: Enforcer,
    tables: Tables,
    lists: Arc<ArcSwap<Lists>>,
    commands: mpsc::Receiver<Command>,
}

fn fixture() -> Fixture {
    let (settings, config) = configured("");
    let plan = ServicePlan::new(&config, 1, &[]);
    let protected = Protected::new(&settings, &config, &[]);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    let (order, commands) = mpsc::channel(4);
    let tables = Tables::default();
    let filter = Some(Box::new(tables.clone()) as Box<dyn Filter>);
    let mut enforcer = Enforcer::new(config, plan, protected, Arc::clone(&lists), vec![order], filter);
    enforcer.take_up(&settings, Generation(1), &[], Mono(1)).unwrap();
    tables.blocks.borrow_mut().clear();
    Fixture { enforcer, tables, lists, commands }
}

fn ban(scope: BanScope, expires_s: Option<u32>) -> Ban {
    let expires = expires_s.map(|expires_s| Mono::default().plus_s(expires_s));
    Ban { scope, prefix: net("192.0.2.1"), origin: BanOrigin::Rules, tenant: None, expires }
}

fn is_refused(fixture: &mut Fixture, source: &str, tenant: u32) -> bool {
    fixture.enforcer.publish();
    let destination = if tenant == 3 { "10.1.0.11" } else { "10.1.0.10" };
    let verdict = fixture.lists.load().verdict(
        source.parse().unwrap(),
        destination.parse().unwrap(),
        Some(id(tenant)),
        Mono::default().plus_s(50),
    );
    verdict != ListVerdict::Pass
}

#[test]
fn a_ban_reaches_kernel_lists_and_open_connections_and_leaves_them_again() {
    let mut fixture = fixture();
    let ban = ban(BanScope::Tenant(id(1)), Some(100));
    fixture.enforcer.ban(ban.clone(), Force::No).unwrap();
    let blocks = fixture.tables.blocks();
    assert_eq!(blocks.len(), 1);
    assert_eq!((blocks[0].scope, blocks[0].reason, blocks[0].expires_s), (1, Reason::Ban, 100));
    assert!(is_refused(&mut fixture, "192.0.2.1", 1));
    assert!(!is_refused(&mut fixture, "192.0.2.1", 2), "another tenant of the address");
    assert!(matches!(fixture.commands.try_recv(), Ok(Command::CloseBanned(closed)) if closed == ban));
    assert_eq!(fixture.enforcer.unban(ban.scope, ban.prefix).unwrap(), ban);
    assert!(fixture.tables.blocks().is_empty());
    assert!(!is_refused(&mut fixture, "192.0.2.1", 1));
    assert!(matches!(fixture.enforcer.unban(ban.scope, ban.prefix), Err(BanError::NoBan)));
}

#[test]
fn bans_that_came_too_fast_for_a_worker_are_looked_for_in_the_lists() {
    let mut fixture = fixture();
    let many = fixture.commands.max_capacity() as u8 + 1;
    for last in 0..many {
        let prefix = net(&format!("192.0.2.{last}"));
        fixture.enforcer.ban(Ban { prefix, ..ban(BanScope::Node, None) }, Force::No).unwrap();
    }
    let mut heard = || std::iter::from_fn(|| fixture.commands.try_recv().ok()).collect::<Vec<_>>();
    fixture.enforcer.publish();
    let first = heard();
    assert_eq!(first.len() + 1, usize::from(many), "it had no room for the last one");
    assert!(first.iter().all(|it| matches!(it, Command::CloseBanned(_))), "{first:?}");
    fixture.enforcer.publish();
    assert!(matches!(heard()[..], [Command::CloseListed]));
    fixture.enforcer.publish();
    assert!(heard().is_empty(), "once is enough");
}

#[test]
fn the_lists_of_the_configuration_are_published_from_the_start() {
    let mut fixture = fixture();
    let table = [
        ("the node's block list", "198.51.100.1", 3, true),
        ("a tenant's block list", "198.51.100.7", 1, true),
        ("a stranger", "192.0.2.1", 1, false),
        ("the node's allow list", "203.0.113.9", 1, false),
    ];
    for (name, source, tenant, expected) in table {
        assert_eq!(is_refused(&mut fixture, source, tenant), expected, "{name}");
    }
}

#[test]
fn a_tenants_allow_skips_its_own_bans() {
    let mut fixture = fixture();
    let friend = Ban { prefix: net("203.0.113.5"), ..ban(BanScope::Tenant(id(3)), None) };
    fixture.enforcer.ban(friend, Force::No).unwrap();
    assert!(!is_refused(&mut fixture, "203.0.113.5", 3));
}

#[test]
fn what_ran_out_is_taken_away_everywhere() {
    let mut fixture = fixture();
    fixture.enforcer.ban(ban(BanScope::Node, Some(40)), Force::No).unwrap();
    fixture.enforcer.reap(Mono::default().plus_s(39));
    assert_eq!(fixture.tables.blocks().len(), 1);
    fixture.enforcer.reap(Mono::default().plus_s(40));
    assert!(fixture.tables.blocks().is_empty());
    assert!(fixture.enforcer.bans().is_empty());
}

#[test]
fn a_full_kernel_list_does_not_undo_the_ban() {
    let mut fixture = fixture();
    *fixture.tables.is_full.borrow_mut() = true;
    let result = fixture.enforcer.ban(ban(BanScope::Tenant(id(1)), None), Force::No);
    assert!(matches!(result, Err(BanError::Filter(_))));
    assert!(is_refused(&mut fixture, "192.0.2.1", 1), "user space enforces it all the same");
}

#[test]
fn scopes_that_are_not_served_and_protected_sources_are_refused() {
    let mut fixture = fixture();
    let nowhere = ban(BanScope::Address("10.9.9.9".parse().unwrap()), None);
    assert!(matches!(fixture.enforcer.ban(nowhere, Force::Yes), Err(BanError::NoAddress(_))));
    let nobody = ban(BanScope::Tenant(id(9)), None);
    assert!(matches!(fixture.enforcer.ban(nobody, Force::Yes), Err(BanError::NoTenant(9))));
    let origin = Ban { prefix: net("192.0.2.200"), ..ban(BanScope::Node, None) };
    assert!(matches!(fixture.enforcer.ban(origin.clone(), Force::No), Err(BanError::Unbannable(_))));
    assert!(fixture.enforcer.bans().is_empty(), "nothing is kept of them");
    assert!(fixture.enforcer.ban(origin, Force::Yes).is_ok());
}

/// What replaces the configuration of [`fixture`], with `change` made to it.
fn next(change: impl Fn(&mut NodeConfig)) -> (NodeSettings, Next) {
    let (settings, mut config) = configured("");
    change(&mut config);
    let previous = ServicePlan::new(&configured("").1, 1, &[]).services();
    let plan = ServicePlan::new(&config, 1, &previous);
    let protected = Protected::new(&settings, &config, &[]);
    (settings, Next { config, plan, protected, generation: Generation(2) })
}

#[test]
fn a_new_configuration_keeps_the_bans_that_still_mean_something() {
    let shared = BanScope::Address("10.1.0.10".parse().unwrap());
    let operators = |scope| Ban { origin: BanOrigin::Operator, ..ban(scope, None) };
    let tenant_1 = BanScope::Tenant(id(1));
    type Change = fn(&mut NodeConfig);
    let detect: Change = |config| config.tenants[0].mode = crate::model::Mode::Detect;
    let gone: Change = |config| drop(config.tenants.remove(0));
    let table: [(&str, Ban, Change, bool); 6] = [
        ("nothing changes", ban(tenant_1, None), |_| {}, true),
        ("the tenant only detects now", ban(tenant_1, None), detect, false),
        ("a tenant of the address does", ban(shared, None), detect, false),
        ("an operator's ban of it", operators(tenant_1), detect, true),
        ("the tenant is gone", operators(tenant_1), gone, false),
        ("another tenant is", ban(BanScope::Tenant(id(2)), None), gone, true),
    ];
    for (name, ban, change, stays) in table {
        let mut fixture = fixture();
        fixture.enforcer.ban(ban.clone(), Force::No).unwrap();
        let (settings, next) = next(change);
        let served = std::cell::Cell::new(None);
        let held = (&settings, Generation(1));
        fixture.enforcer.replace(held, &settings, next, |is_new| served.set(Some(is_new))).unwrap();
        assert_eq!(served.get(), Some(true), "{name}");
        assert_eq!(!fixture.enforcer.bans().is_empty(), stays, "{name}: in the table");
        let bans = fixture.tables.blocks().iter().filter(|entry| entry.reason != Reason::List).count();
        assert_eq!(bans, usize::from(stays), "{name}: in the kernel");
    }
}

#[test]
fn lists_change_before_services_do_and_the_workers_in_between() {
    let mut fixture = fixture();
    fixture.tables.steps.borrow_mut().clear();
    let steps = std::rc::Rc::clone(&fixture.tables.steps);
    let (settings, next) = next(|config| config.block.push(net("203.0.113.200")));
    let held = (&settings, Generation(1));
    fixture.enforcer.replace(held, &settings, next, |_| steps.borrow_mut().push("workers serve")).unwrap();
    let expected = ["workers", "workers", "allow", "lists", "workers serve", "config", "services"];
    assert_eq!(*fixture.tables.steps.borrow(), expected);
    assert!(is_refused(&mut fixture, "203.0.113.200", 1));
}

#[test]
fn a_configuration_that_the_kernel_does_not_take_leaves_nothing_behind() {
    for step in ["workers", "lists", "config", "services"] {
        let mut fixture = fixture();
        let held = configured("").0;
        let (mut settings, next) = next(|config| config.block.push(net("203.0.113.200")));
        settings.event_sample = held.event_sample + 1;
        *fixture.tables.fails.borrow_mut() = Some(step);
        let served = std::cell::Cell::new(None);
        let serve = |is_new| served.set(Some(is_new));
        assert!(fixture.enforcer.replace((&held, Generation(1)), &settings, next, serve).is_err(), "{step}");
        assert_ne!(served.get(), Some(true), "{step}");
        let config = fixture.tables.configs.borrow().last().copied().unwrap();
        assert_eq!((config.event_sample, config.generation_low), (held.event_sample, 1), "{step}");
        let is_blocked = |entry: &crate::kernel::BlockEntry| entry.prefix == net("203.0.113.200");
        assert!(!fixture.tables.blocks().iter().any(is_blocked), "{step}");
        assert!(!is_refused(&mut fixture, "203.0.113.200", 1), "{step}");
    }
}

#[test]
fn who_does_not_write_changes_no_map() {
    let mut fixture = fixture();
    fixture.enforcer.release();
    fixture.tables.steps.borrow_mut().clear();
    let ban = ban(BanScope::Node, Some(40));
    fixture.enforcer.ban(ban.clone(), Force::No).unwrap();
    fixture.enforcer.refuse_new();
    fixture.enforcer.reap(Mono::default().plus_s(41));
    assert_eq!(*fixture.tables.steps.borrow(), Vec::<&str>::new());
    // Once it writes again, what came meanwhile is written too.
    fixture.enforcer.ban(Ban { expires: None, ..ban }, Force::No).unwrap();
    let settings = configured("").0;
    fixture.enforcer.take_up(&settings, Generation(3), &[], Mono(1)).unwrap();
    assert_eq!(fixture.tables.blocks().iter().filter(|entry| entry.reason == Reason::Ban).count(), 1);
}

#[test]
fn a_ban_by_rules_grows_with_each_return_and_spares_the_protected() {
    let mut fixture = fixture();
    let now = |second| Mono::default().plus_s(second);
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let way = (address("192.0.2.1"), address("10.1.0.11"));
    let seen = ban(BanScope::Tenant(id(3)), None);
    let mut lasts = |second| {
        let made = fixture.enforcer.ban_by_rules(seen.clone(), way, now(second)).unwrap();
        fixture.enforcer.reap(now(second));
        made.map(|ban| ban.expires.unwrap().since_ns(now(second)) / 1_000_000_000)
    };
    assert_eq!(lasts(0), Some(600));
    assert_eq!(lasts(599), None, "it is banned already");
    assert_eq!(lasts(600), Some(1200));
    let origin = Ban { prefix: net("192.0.2.200"), ..seen };
    let refused = fixture.enforcer.ban_by_rules(origin, (address("192.0.2.200"), way.1), now(0));
    assert!(matches!(refused, Err(BanError::Unbannable(_))));
}

#[test]
fn many_bans_reach_the_lists_when_bans_are_reaped_and_the_kernel_at_once() {
    let mut fixture = fixture();
    let many = u32::try_from(BANS_FEW).unwrap();
    let of = |number: u32| {
        let prefix = IpNet::from(IpAddr::from((0x0b00_0000 + number).to_be_bytes()));
        Ban { prefix, ..ban(BanScope::Node, Some(100)) }
    };
    for number in 0..many {
        fixture.enforcer.ban(of(number), Force::No).unwrap();
    }
    let is_refused = |fixture: &Fixture, number: u32| {
        let source = of(number).prefix.addr();
        let (destination, now) = ("10.1.0.10".parse().unwrap(), Mono::default().plus_s(50));
        fixture.lists.load().verdict(source, destination, Some(id(1)), now) != ListVerdict::Pass
    };
    fixture.enforcer.publish_soon();
    assert!(is_refused(&fixture, many - 1), "few are published at once");
    fixture.enforcer.ban(of(many), Force::No).unwrap();
    fixture.enforcer.publish_soon();
    assert!(!is_refused(&fixture, many));
    assert_eq!(fixture.tables.blocks().len(), BANS_FEW + 1);
    fixture.enforcer.reap(Mono::default().plus_s(50));
    assert!(is_refused(&fixture, many));
}

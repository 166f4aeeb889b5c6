//! Observations through the queue, bans in the kernel's tables.

use arc_swap::ArcSwap;

use super::*;
use crate::model::Generation;
use crate::node::filter::Filter;
use crate::node::protect::Protected;
use crate::node::services::ServicePlan;
use crate::node::tests::{Tables, configured, id};
use crate::proxy::Lists;

#[test]
fn a_source_that_is_refused_is_banned_once() {
    let (settings, config) = configured("[ban]\nrefused = 3\nttl_s = 60");
    let plan = ServicePlan::new(&config, 1, &[]);
    let protected = Protected::new(&settings, &config, &["2001:db8::1".parse().unwrap()]);
    let feedback = Feedback::new(&config);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    let tables = Tables::default();
    let filter = Some(Box::new(tables.clone()) as Box<dyn Filter>);
    let mut enforcer = Enforcer::new(config, plan, protected, lists, Vec::new(), filter);
    enforcer.take_up(&settings, Generation(1), &[], Mono(1)).unwrap();
    tables.blocks.borrow_mut().clear();
    let enforcer = Rc::new(RefCell::new(enforcer));
    let metrics = Arc::new(Metrics::default());
    let events = std::env::temp_dir().join(format!("waf-react-{}.jsonl", std::process::id()));
    let journal = Journal::open(None, Some(&events), Arc::clone(&metrics) as _).unwrap();
    let reaction = Reaction {
        uplink: None,
        feedback: Rc::new(RefCell::new(feedback)),
        enforcer: Rc::clone(&enforcer),
        journal: journal.clone(),
        metrics: Arc::clone(&metrics),
    };
    let (seen, observations) = mpsc::channel(32);
    let observation = |source: &str| Observation {
        tenant: id(1),
        source: source.parse().unwrap(),
        destination: "10.1.0.10".parse().unwrap(),
        at: Mono::now(),
        refused: true,
    };
    // Six refusals would make two bans; the second finds the first. The origin and the node itself are never banned, who
    // shares the node's /64 is banned alone.
    for source in ["192.0.2.1", "192.0.2.200", "2001:db8:1::bad", "2001:db8::bad", "2001:db8::1"] {
        for _ in 0..6 {
            seen.try_send(vec![observation(source)]).unwrap();
        }
    }
    drop(seen);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(reaction.run(observations));
    let bans = enforcer.borrow().bans().list();
    let prefixes: Vec<String> = bans.iter().map(|ban| ban.prefix.to_string()).collect();
    assert_eq!(prefixes, ["192.0.2.1/32", "2001:db8::bad/128", "2001:db8:1::/64"]);
    assert_eq!(tables.blocks().len(), 3);
    assert!(journal.flush());
    let text = std::fs::read_to_string(&events).unwrap();
    std::fs::remove_file(&events).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("192.0.2.1/32 banned"), "{text}");
    assert!(metrics.expose().contains("waf_node_bans_not_made_total 4\n"));
}

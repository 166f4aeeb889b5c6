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
    let protected = Protected::new(&settings, &config, &[]);
    let feedback = Feedback::new(&config);
    let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
    let tables = Tables::default();
    let filter = Some(Box::new(tables.clone()) as Box<dyn Filter>);
    let mut enforcer = Enforcer::new(config, plan, protected, lists, Vec::new(), filter);
    enforcer.take_up(&settings, Generation(1), &[], Mono(1)).unwrap();
    tables.blocks.borrow_mut().clear();
    let enforcer = Rc::new(RefCell::new(enforcer));
    let reaction = Reaction {
        feedback: Rc::new(RefCell::new(feedback)),
        enforcer: Rc::clone(&enforcer),
        journal: Journal::disabled(),
        metrics: Arc::new(Metrics::default()),
    };
    let (seen, observations) = mpsc::channel(16);
    let observation = |source: &str| Observation {
        tenant: id(1),
        source: source.parse().unwrap(),
        destination: "10.1.0.10".parse().unwrap(),
        at: Mono::now(),
        refused: true,
    };
    // Six refusals would make two bans; the second finds the first. The origin is never banned.
    for source in ["192.0.2.1", "192.0.2.200"] {
        for _ in 0..6 {
            seen.try_send(observation(source)).unwrap();
        }
    }
    drop(seen);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(reaction.run(observations));
    let bans = enforcer.borrow().bans().list();
    assert_eq!(bans.len(), 1);
    assert_eq!(bans[0].prefix.to_string(), "192.0.2.1/32");
    assert_eq!(tables.blocks().len(), 1);
}

//! A store whose answer to a commit gets lost: before it happened, or after.

use super::*;
use crate::control::store::{Fate, Troubled};

#[tokio::test]
async fn whether_a_change_happened_is_told_though_the_answer_got_lost() {
    // A large apply: some parts, the counter, each part carried out, the counter.
    for count in [1, MANY] {
        for lost in 0..16 {
            for happens in [false, true] {
                let folder = Folder::new("ledger");
                let plain = sqlite(&folder);
                drop(with_nodes(&plain).await);
                let fates = [Fate::Done].repeat(lost).into_iter().chain([Fate::Lost { is_done: happens }]);
                let lossy: Arc<dyn Store> = Troubled::new(&plain, fates);
                let ledger = open(&lossy).await;
                let plan = ledger.plan(&wishes(count, 2), NOW);
                let applied = ledger.apply(&plan, Vec::new(), &operator(), NOW).await;
                let name = format!("{count} sites, answer {lost} lost, happens: {happens}: {applied:?}");
                let there = open(&plain).await.view();
                let expected = if applied.is_ok() { count } else { 0 };
                assert_eq!(there.state.sites().len(), expected, "{name}");
                assert_eq!(ledger.view().state, there.state, "{name}");
                // And it goes on, on the lossy store too.
                let plan = ledger.plan(&wishes(count + 1, 2), NOW);
                let next = ledger.apply(&plan, Vec::new(), &operator(), NOW).await;
                let next = next.is_ok() || ledger.apply(&plan, Vec::new(), &operator(), NOW).await.is_ok();
                assert!(next, "{name}");
                let there = open(&plain).await.view();
                assert_eq!(there.state.sites().len(), count + 1, "{name}");
                assert_valid(&there);
            }
        }
    }
}

//! What nodes tell: many in one transaction, in order, also when the store is away for a while.

use super::*;
use crate::control::bans::limits::{CHUNK_LEN, WAITING_OF_NODE_MAX};
use crate::control::store::{Fate, Troubled};

const SITE: FleetScope = FleetScope::Tenant(7);

async fn troubled(folder: &Folder, hands: &Hands, fates: Vec<Fate>) -> (Arc<BanBook>, Arc<Troubled>) {
    let troubled = Troubled::new(&sqlite(folder), fates);
    let store: Arc<dyn Store> = Arc::clone(&troubled) as Arc<dyn Store>;
    (open(&store, hands).await, troubled)
}

#[tokio::test]
async fn many_go_in_one_transaction() {
    let folder = Folder::new("bans");
    let hands = Hands::new();
    let (book, store) = troubled(&folder, &hands, Vec::new()).await;
    let count = 5 * CHUNK_LEN;
    for at in 0..count {
        let node = name(if at % 2 == 0 { "a1" } else { "b1" });
        let ban = of_rules(SITE, numbered(u32::try_from(at).unwrap()), 10);
        book.put_of_node(&node, ban, hands.now()).unwrap();
    }
    until(&book, |book| all(book).len() == count).await;
    assert_eq!(store.commits.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn of_puts_and_lifts_the_last_counts() {
    let folder = Folder::new("bans");
    let hands = Hands::new();
    let (book, _) = troubled(&folder, &hands, Vec::new()).await;
    let (one, other) = (name("a1"), name("b1"));
    let [lifted, there, end] = [numbered(1), numbered(2), numbered(3)];
    let lift = |prefix| Lifted { scope: SITE, prefix };
    book.put_of_node(&one, of_rules(SITE, lifted, 10), hands.now()).unwrap();
    book.lift_of_node(&other, lift(there)).unwrap();
    book.put_of_node(&one, of_rules(SITE, there, 10), hands.now()).unwrap();
    book.lift_of_node(&other, lift(lifted)).unwrap();
    book.put_of_node(&one, of_rules(SITE, end, 10), hands.now()).unwrap();
    until(&book, |book| all(book).contains_key(&(SITE, end))).await;
    assert_eq!(all(&book).into_keys().collect::<Vec<_>>(), [(SITE, there), (SITE, end)]);
    // What a person made, too.
    let forever = vec![making(lifted, 0, false)];
    book.put(&site("www.example.jp", &[7]), forever, &operator(), hands.now()).await.unwrap();
    book.lift_of_node(&one, lift(lifted)).unwrap();
    until(&book, |book| !all(book).contains_key(&(SITE, lifted))).await;
}

#[tokio::test]
async fn they_wait_for_a_store_that_is_away() {
    let folder = Folder::new("bans");
    let hands = Hands::new();
    let fates = [Fate::Unavailable, Fate::Unavailable, Fate::Lost { is_done: false }];
    let (book, store) = troubled(&folder, &hands, fates.to_vec()).await;
    book.put_of_node(&name("a1"), of_rules(SITE, numbered(1), 10), hands.now()).unwrap();
    until(&book, |book| all(book).len() == 1).await;
    assert_eq!(store.commits.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_change() {
    for is_done in [false, true] {
        let folder = Folder::new("bans");
        let hands = Hands::new();
        let (book, store) = troubled(&folder, &hands, vec![Fate::Lost { is_done }]).await;
        let bans = vec![making(numbered(1), 10, false)];
        let changed = book.put(&Where::Fleet, bans, &operator(), hands.now()).await.unwrap();
        // Whether the first try was ours or another's is the same ban: it is so already.
        assert_eq!(changed, u64::from(!is_done));
        until(&book, |book| all(book).len() == 1).await;
        assert_eq!(store.commits.load(Ordering::Relaxed), if is_done { 1 } else { 2 });
        let told = aside::count(&*book.store).await.unwrap();
        assert_eq!(told, 1, "one entry of the audit log");
    }
}

#[test]
fn of_one_node_so_many_wait() {
    let mut waiting = Waiting::default();
    let key = BanKey { scope: SITE, prefix: numbered(1) };
    for _ in 0..WAITING_OF_NODE_MAX {
        waiting.push(&name("a1"), key, Wish::Lift).unwrap();
    }
    let error = waiting.push(&name("a1"), key, Wish::Lift).unwrap_err();
    assert!(error.is_passing(), "{error}");
    waiting.push(&name("b1"), key, Wish::Lift).unwrap();
    assert_eq!(waiting.take().len(), 1, "all of one ban go at once");
    assert!(waiting.take().is_empty());
    waiting.push(&name("a1"), key, Wish::Lift).unwrap();
}

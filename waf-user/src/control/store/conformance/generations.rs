//! What is larger than a transaction: a new generation, then its head.

use super::*;

const PARTS: usize = 300;

fn parts(mark: &str, count: usize) -> Vec<(String, Vec<u8>)> {
    (0..count).map(|part| (format!("{part:04}"), mark.as_bytes().to_vec())).collect()
}

pub async fn a_generation_counts_when_its_head_is_set(store: Arc<dyn Store>, prefix: Prefix) {
    let series = Series::new(Arc::clone(&store), prefix.clone());
    assert_eq!(series.read().await.unwrap(), None);
    let first = series.replace(None, parts("first", PARTS)).await.unwrap();
    let second = series.replace(Some(&first), parts("second", PARTS + 1)).await.unwrap();
    assert!(second.generation > first.generation && second.modified > first.modified);
    let (head, read) = series.read().await.unwrap().unwrap();
    assert_eq!((head, read), (second, parts("second", PARTS + 1)));
    // Values of which no two fit one transaction.
    let large: Vec<_> = (0..4).map(|part| (part.to_string(), vec![part; limits::VALUE_BYTES_MAX])).collect();
    let third = series.replace(Some(&second), large.clone()).await.unwrap();
    assert!(series.read().await.unwrap().unwrap() == (third, large));
    let empty = series.replace(Some(&third), Vec::new()).await.unwrap();
    assert_eq!(series.read().await.unwrap().unwrap(), (empty, Vec::new()));
    // What is older than the one before is gone.
    let left = store.list(&prefix).await.unwrap().entries.len();
    assert_eq!(left, 4 + 2, "the third, the head and the next number");
}

pub async fn of_two_writers_one_wins(store: Arc<dyn Store>, prefix: Prefix) {
    let series = Series::new(store, prefix);
    let first = series.replace(None, parts("first", 3)).await.unwrap();
    let (left, right) = tokio::join!(
        series.replace(Some(&first), parts("left", PARTS)),
        series.replace(Some(&first), parts("right", PARTS)),
    );
    let (won, lost, mark) = match (left, right) {
        (Ok(head), Err(error)) => (head, error, "left"),
        (Err(error), Ok(head)) => (head, error, "right"),
        other => panic!("{other:?}"),
    };
    assert!(lost.is_conflict(), "{lost}");
    assert_eq!(series.read().await.unwrap().unwrap(), (won, parts(mark, PARTS)));
    // A head that is read no more is refused too.
    let late = series.replace(Some(&first), parts("late", 1)).await.unwrap_err();
    assert!(late.is_conflict(), "{late}");
    assert_eq!(series.head().await.unwrap(), Some(won));
}

pub async fn what_a_killed_writer_left_is_cleared(store: Arc<dyn Store>, prefix: Prefix) {
    let series = Series::new(Arc::clone(&store), prefix.clone());
    let first = series.replace(None, parts("first", 3)).await.unwrap();
    // Killed between parts and head: given up after each of its transactions.
    let (lost, mut polls) = (series.replace(Some(&first), parts("lost", PARTS)), 0);
    tokio::pin!(lost);
    let half = std::future::poll_fn(|context| {
        polls += 1;
        if polls > 8 {
            return std::task::Poll::Ready(true);
        }
        lost.as_mut().poll(context).map(|_| false)
    });
    half.await;
    // What was on its way may still arrive, the head too.
    let second = loop {
        let head = series.head().await.unwrap().unwrap();
        match series.replace(Some(&head), parts("second", 5)).await {
            Ok(second) => break second,
            Err(error) => assert!(error.is_conflict(), "{error}"),
        }
    };
    assert_eq!(series.read().await.unwrap().unwrap(), (second, parts("second", 5)));
    let third = series.replace(Some(&second), parts("third", 2)).await.unwrap();
    assert_eq!(series.read().await.unwrap().unwrap(), (third, parts("third", 2)));
    let left = store.list(&prefix).await.unwrap().entries.len();
    assert_eq!(left, 5 + 2 + 2, "the second, the third, the head and the next number");
}

pub async fn readers_see_whole_generations(store: Arc<dyn Store>, prefix: Prefix) {
    let series = Series::new(store, prefix);
    let mut head = series.replace(None, parts("0", PARTS)).await.unwrap();
    let reader = series.clone();
    let reading = tokio::spawn(async move {
        let mut seen = Vec::new();
        while seen.last() != Some(&b"8".to_vec()) {
            let (_, parts) = reader.read().await.unwrap().unwrap();
            assert_eq!(parts.len(), PARTS);
            let mark = parts[0].1.clone();
            assert!(parts.iter().all(|(_, value)| *value == mark), "a mixture");
            if seen.last() != Some(&mark) {
                seen.push(mark);
            }
        }
        seen
    });
    for mark in 1..=8 {
        head = series.replace(Some(&head), parts(&mark.to_string(), PARTS)).await.unwrap();
    }
    let seen = reading.await.unwrap();
    assert!(seen.is_sorted(), "{seen:?}");
}

//! Outcomes as the runner writes them, and what is said of them.

use serde_json::json;

use super::super::runner::Outcome;
use super::Comparison;

fn outcome(rows: &[(&str, &str, u64, &[u64])]) -> Outcome {
    let results: Vec<_> = rows
        .iter()
        .map(|(id, result, status, ids)| {
            json!({"id": id, "file": "a.yaml", "kind": "positive", "result": result, "reason": "because",
                   "stages": [{"status": status, "ids": ids}]})
        })
        .collect();
    Outcome::read(&json!({ "results": results })).unwrap()
}

#[test]
fn differences_are_told() {
    let node = outcome(&[
        ("1", "pass", 200, &[1, 2]),
        ("2", "pass", 200, &[1, 3]),
        ("3", "fail", 501, &[]),
        ("4", "skip", 0, &[]),
    ]);
    let reference = outcome(&[
        ("1", "pass", 200, &[2, 1]),
        ("2", "pass", 200, &[1, 4]),
        ("3", "pass", 200, &[9]),
        ("4", "skip", 0, &[]),
    ]);
    assert_eq!(node.to_string(), "2 | 1 | 1 | 2/3 | 0/0 | 0/0");
    assert_eq!(node.failures().collect::<Vec<_>>(), [("3", "because")]);
    assert!(node.has_failed("3") && !reference.has_failed("3"));
    let comparison = Comparison::of(&node, &reference);
    assert_eq!(comparison.to_string(), "the same rules logged in 1 of 3 tests (33.33 %); others:");
    let told: Vec<String> = comparison.differences.iter().map(ToString::to_string).collect();
    let expected = [
        "2: status 200 (Apache 200), only node {3}, only Apache {4}",
        "3: status 501 (Apache 200), only Apache {9}",
    ];
    assert_eq!(told, expected);
}

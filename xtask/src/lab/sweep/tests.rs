//! Whose a name is.

use super::is_left;
use crate::lab::netns::unique;

#[test]
fn only_names_of_dead_runs_and_dead_processes_are_left() {
    // Above the kernel's largest pid (2^22).
    let (mine, dead) = (unique(), "pid4194305x0");
    let rows = [
        ("waf-run12345678-client".to_owned(), true),
        ("a1-run12345678".to_owned(), true),
        ("waf-run01234567-client".to_owned(), false),
        ("a1-run01234567".to_owned(), false),
        (format!("waf-{mine}-client"), false),
        (format!("waf-{dead}"), true),
        (format!("k1-{dead}"), true),
        ("run12345678".to_owned(), false),
        ("a1".to_owned(), false),
        ("edge-router01".to_owned(), false),
        // As long as a run id, and of its letters.
        ("edge-restaurants".to_owned(), false),
        ("edge-runningback".to_owned(), false),
        ("edge-p4194305x".to_owned(), false),
        ("edge-p4194305x0".to_owned(), false),
        ("waf-test".to_owned(), false),
    ];
    for (name, left) in rows {
        assert_eq!(is_left(&name, &["run01234567".to_owned()]), left, "{name}");
    }
}

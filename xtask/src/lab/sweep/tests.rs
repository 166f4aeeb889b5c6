//! Whose a name is.

use super::is_left;
use crate::lab::netns::unique;

#[test]
fn only_names_of_dead_runs_and_dead_processes_are_left() {
    // Above the kernel's largest pid (2^22).
    let (mine, dead) = (unique(), "p4194305x0");
    let rows = [
        ("waf-run1a2b3c4d-client".to_owned(), true),
        ("a1-run1a2b3c4d".to_owned(), true),
        ("waf-runlivelive-client".to_owned(), false),
        ("a1-runlivelive".to_owned(), false),
        (format!("waf-{mine}-client"), false),
        (format!("waf-{dead}"), true),
        (format!("k1-{dead}"), true),
        ("run1a2b3c4d".to_owned(), false),
        ("a1".to_owned(), false),
        ("edge-router01".to_owned(), false),
        ("waf-test".to_owned(), false),
    ];
    for (name, left) in rows {
        assert_eq!(is_left(&name, &["runlivelive".to_owned()]), left, "{name}");
    }
}

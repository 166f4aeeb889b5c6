//! Both sides of each bound of a transaction.

use super::*;

fn key(number: usize) -> Key {
    Key::new(format!("key/{number}")).unwrap()
}

fn puts(count: usize, bytes: usize) -> Vec<Operation> {
    (0..count).map(|number| Operation::put(&key(number), vec![0; bytes])).collect()
}

fn guards(count: usize) -> Vec<Guard> {
    (0..count).map(|number| Guard::Absent(key(number))).collect()
}

#[test]
fn both_sides_of_each_bound() {
    let half = VALUE_BYTES_MAX / 2;
    let rows = [
        ("nothing", vec![], vec![], true),
        ("most operations", vec![], puts(OPERATIONS_MAX, 1), true),
        ("one operation too many", vec![], puts(OPERATIONS_MAX + 1, 1), false),
        ("most guards", guards(OPERATIONS_MAX), vec![], true),
        ("one guard too many", guards(OPERATIONS_MAX + 1), vec![], false),
        ("largest value", vec![], puts(1, VALUE_BYTES_MAX), true),
        ("one byte too many", vec![], puts(1, VALUE_BYTES_MAX + 1), false),
        ("two halves", vec![], puts(2, half), true),
        ("three halves", vec![], puts(3, half), false),
        (
            "put and delete of one key",
            vec![],
            vec![Operation::put(&key(1), b""), Operation::Delete(key(1))],
            false,
        ),
    ];
    for (name, guards, operations, expected) in rows {
        assert_eq!(Transaction::new(guards, operations).is_ok(), expected, "{name}");
    }
}

#[test]
fn errors_say_place_and_cure() {
    let rows = [
        (
            puts(129, 1),
            "129 operations in one transaction, at most 128: split it, or write a generation and its head",
        ),
        (
            puts(1, VALUE_BYTES_MAX + 1),
            "value of key/0 has 1048577 bytes, at most 1048576: keep it in parts under keys of their own",
        ),
        (
            vec![Operation::Delete(key(1)), Operation::Delete(key(1))],
            "two operations on key/1 in one transaction: keep the last",
        ),
    ];
    for (operations, expected) in rows {
        assert_eq!(Transaction::new(vec![], operations).unwrap_err().to_string(), expected);
    }
}

#[test]
fn debug_shows_no_value() {
    let transaction = Transaction::replace(&key(1), None, "hunter2").unwrap();
    assert!(!format!("{transaction:?}").contains("hunter2"));
    assert!(format!("{transaction:?}").contains("7 bytes"));
}

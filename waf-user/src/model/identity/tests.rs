use super::*;

#[test]
fn tenants_are_numbered_from_1_below_2_to_the_31() {
    let table = [(0, false), (1, true), ((1 << 31) - 1, true), (1 << 31, false), (u64::MAX, false)];
    for (number, expected) in table {
        assert_eq!(TenantId::new(number).is_ok(), expected, "{number}");
    }
}

#[test]
fn names_fit_into_paths() {
    let name32 = "a".repeat(32);
    let name33 = "a".repeat(33);
    let table = [
        ("a1", true),
        ("carrier-a", true),
        ("1a", true),
        ("waf-3f2a-a1", true),
        (&name32, true),
        (&name33, false),
        ("", false),
        ("-a", false),
        ("A1", false),
        ("a_1", false),
        ("a.1", false),
        ("a/1", false),
        ("..", false),
        ("ä", false),
    ];
    for (text, expected) in table {
        assert_eq!(NodeName::new(text).is_ok(), expected, "{text:?}");
        assert_eq!(Carrier::new(text).is_ok(), expected, "{text:?}");
    }
}

#[test]
fn generations_only_grow() {
    assert!(Generation::default() < Generation::default().next());
}

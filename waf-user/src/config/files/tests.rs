//! Patterns of file names, and files that are no lists.

use super::*;

#[test]
fn patterns_match_like_a_shell() {
    let table = [
        ("*.conf", "a.conf", true),
        ("*.conf", "a.conf.bak", false),
        ("*", "", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
        ("?.conf", "a.conf", true),
        ("?.conf", ".conf", false),
        ("**x", "aax", true),
    ];
    for (pattern, name, expected) in table {
        assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} on {name:?}");
    }
}

#[test]
fn a_device_without_end_is_no_list() {
    let error = read_bounded(Path::new("/dev/zero")).unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
    assert_eq!(read_bounded(Path::new("/dev/null")).unwrap(), "");
}

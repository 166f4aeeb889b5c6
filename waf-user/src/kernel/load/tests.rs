//! Releases of kernels that are served.

use super::*;

#[test]
fn old_kernels_are_named() {
    for (release, is_served) in [
        ("5.10.0-30-amd64", false),
        ("4.19.0", false),
        ("5.11.0", true),
        ("6.1.0-18-cloud-amd64", true),
        ("6.18-rc1+", true),
        ("7.0", true),
        ("", true),
        ("of our own", true),
    ] {
        assert_eq!(check_release(release.to_owned()).is_ok(), is_served, "{release}");
    }
}

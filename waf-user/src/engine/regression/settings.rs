//! The settings that the regression tests of the Core Rule Set ask for (their rule 900005): nothing is refused, all
//! paranoia levels, all limits on, bodies of answers looked at.

use crate::engine::{Levels, RuleFile, Settings};

/// Before the rules: the set-up of CRS 3.x and 4.x reads these variables only where they are unset.
const BEFORE: &str = include_str!("before.conf");

/// After them, because a base configuration among the files would win otherwise.
const AFTER: &str = include_str!("after.conf");

/// The files with the tests' settings around them.
pub fn around(files: Vec<RuleFile>) -> Vec<RuleFile> {
    let own = |name: &str, text: &str| RuleFile { name: name.to_owned(), text: text.as_bytes().to_vec() };
    let mut all = vec![own("test-settings-before.conf", BEFORE)];
    all.extend(files);
    all.push(own("test-settings-after.conf", AFTER));
    all
}

/// The tenant's settings that go with them.
pub fn initial() -> Settings {
    Settings::new(Levels::default(), Some(true))
}

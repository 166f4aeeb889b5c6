//! Any bytes as rule text: compiled or refused with a text for its author; what is compiled judges a request to its end.

use std::io;
use std::sync::Arc;

use super::transactions;
use crate::engine::{RuleFile, RuleFiles, RuleSet};

const NAME: &str = "fuzz.conf";

/// Holds attacks in all places, so that most conditions meet a value.
const REQUEST: &[u8] = b"\x06\x40POST /a/../b.php?a=1&b=%27%20or%201%3D1&a=x HTTP/1.1\n\
    Host: www.example.test\nCookie: c=1; d=<script>\nContent-Type: application/x-www-form-urlencoded\n\n\
    e=1+union+select&f=%00&a=..%2f..%2fetc%2fpasswd";

/// The rule text; it may include itself, and any other file holds its bytes too.
pub fn rule_text(input: &[u8]) {
    let file = RuleFile { name: NAME.to_owned(), text: input.to_vec() };
    match RuleSet::compile_with_defaults(&[file], &Itself(input)) {
        Ok(rules) => transactions::transaction(&Arc::new(rules), REQUEST),
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

struct Itself<'a>(&'a [u8]);

impl RuleFiles for Itself<'_> {
    fn read(&self, path: &str, _from: &str) -> io::Result<RuleFile> {
        match path {
            "none" => Err(io::Error::from(io::ErrorKind::NotFound)),
            _ => Ok(RuleFile { name: path.to_owned(), text: self.0.to_vec() }),
        }
    }

    fn glob(&self, pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        Ok(vec![pattern.replace('*', "x")])
    }
}

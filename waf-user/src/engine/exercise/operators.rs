//! Any bytes as an operator's argument and as the value it is asked about: spans lie inside the value, and the same
//! question has the same answer.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use crate::engine::lookups::{GeoPlace, Lookups};
use crate::engine::operator::Operator;
use crate::engine::values::Values;

/// The first byte names the operator, the second is the argument's length; the rest is the value.
pub fn operator(input: &[u8]) {
    let [name, length, rest @ ..] = input else { return };
    let name = Operator::NAMES.get(usize::from(*name) % Operator::NAMES.len()).copied().unwrap_or("rx");
    let (argument, value) = rest.split_at_checked(usize::from(*length)).unwrap_or((rest, b""));
    let data = |path: &str| match path {
        "none" => Err(io::Error::from(io::ErrorKind::NotFound)),
        _ => Ok(value.to_vec()),
    };
    let parsed = Operator::parse(name, argument, &data);
    let Ok(operator) = parsed.unwrap_or_else(|| panic!("{name} is an operator")) else { return };
    let mut values = Values { lookups: Some(Arc::new(Everywhere)), ..Values::default() };
    values.args_get.push((b"a".to_vec(), value.to_vec()));
    values.set_tx(b"1", value.iter().take(40).copied().collect());
    let hit = operator.matches(value, &values);
    for (from, to) in hit.iter().flatten() {
        assert!(from <= to && *to <= value.len(), "{name}: {from}..{to} of {}", value.len());
    }
    assert_eq!(hit, operator.matches(value, &values), "{name}");
    if let Some(captured) = operator.captured(value) {
        assert!(captured.len() <= argument.len().max(value.len()).max(8), "{name}");
    }
}

/// Knows every address, lists every other name.
#[derive(Debug)]
struct Everywhere;

impl Lookups for Everywhere {
    fn place(&self, _address: IpAddr) -> Option<GeoPlace> {
        Some(GeoPlace { country_code: "JP".to_owned(), ..GeoPlace::default() })
    }

    fn listed(&self, name: &str) -> Option<bool> {
        Some(name.len().is_multiple_of(2))
    }
}

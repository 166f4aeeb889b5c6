//! @geoLookup: the place of the address in the value is known; GEO then holds it (COUNTRY_CODE and its kin).
//!
//! Argument: none. Without a source of places ([`crate::engine::Lookups`]) it never matches.
//!
//! Example: `SecRule REMOTE_ADDR "@geoLookup" "id:1,phase:1,pass,nolog"`

use super::{Hit, hit};
use crate::engine::values::Values;

/// @geoLookup.
#[derive(Clone, Copy, Debug)]
pub struct GeoLookup;

impl GeoLookup {
    /// Hot: per value.
    pub fn matches(self, value: &[u8], values: &Values) -> Hit {
        hit(values.place_of(value).is_some())
    }
}

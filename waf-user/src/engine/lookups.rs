//! What rules ask of the outside world: places of addresses and block lists of the DNS. The engine only asks; whoever
//! answers does so at once, from memory.

use std::fmt;
use std::net::IpAddr;

/// Answers for @geoLookup and @rbl. Called on the way of a request: must not wait.
pub trait Lookups: fmt::Debug + Send + Sync {
    /// What is known of an address's place.
    fn place(&self, address: IpAddr) -> Option<GeoPlace>;

    /// Whether a name such as `2.0.0.127.bl.example.org` is listed. None: not known yet; the answerer counts it and may
    /// ask the DNS for the next time.
    fn listed(&self, name: &str) -> Option<bool>;
}

/// The place of an address; what is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeoPlace {
    /// Two letters (ISO 3166-1).
    pub country_code: String,
    pub country_name: String,
    /// Two letters.
    pub country_continent: String,
    pub region: String,
    pub city: String,
    pub postal_code: String,
    pub latitude: String,
    pub longitude: String,
}

impl GeoPlace {
    /// The names and values of GEO.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("country_code", self.country_code.as_str()),
            ("country_name", &self.country_name),
            ("country_continent", &self.country_continent),
            ("region", &self.region),
            ("city", &self.city),
            ("postal_code", &self.postal_code),
            ("latitude", &self.latitude),
            ("longitude", &self.longitude),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }
}

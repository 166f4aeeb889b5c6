//! The fields of a head in their order, names with the case they came in. Knows which fields are for one hop only.

use super::octets::trim;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: Vec<u8>,
}

/// All fields of one head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    all: Vec<Field>,
}

/// Fields that concern one connection only (RFC 9110 §7.6.1, and those that RFC 2616 §13.5.1 counted among them).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Fields {
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.all.push(Field { name: name.into(), value: value.into() });
    }

    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.all.iter()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Values of every field of this name, in order, white space around them removed.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| trim(&field.value))
    }

    /// The first value of this name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.all.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| trim(&field.value))
    }

    /// The comma-separated elements of every field of this name.
    pub fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.values(name).flat_map(|value| value.split(|byte| *byte == b',')).map(trim)
    }

    /// Whether an element of this list-valued field is `token`, in whatever case.
    pub fn has_element(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether a field concerns this connection only, by its nature or because Connection names it.
    pub fn is_hop_by_hop(&self, name: &str) -> bool {
        HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop)) || self.has_element("connection", name)
    }
}

//! The fields of a head in their order, names with the case they came in. Knows which fields are for one hop only.

use super::octets::trim;

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub name: &'a str,
    pub value: &'a [u8],
}

/// All fields of one head, in three pieces of memory however many they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// All names, one after another, and all values.
    names: String,
    values: Vec<u8>,
    /// Where the name and the value of each field end.
    ends: Vec<(usize, usize)>,
    /// What Connection says.
    connection: Connection,
}

/// As much of Connection as spares most heads another look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Connection {
    #[default]
    Absent,
    /// Nothing but `close` and `keep-alive`.
    Plain,
    /// It names fields, or something else.
    Names,
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

/// Bytes of a usual name, to have room at once.
const NAME_LEN: usize = 16;

impl Fields {
    /// With room for so many fields of so many bytes together.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self {
            names: String::with_capacity(fields * NAME_LEN),
            values: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(fields),
            connection: Connection::Absent,
        }
    }

    /// Hot: per header.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        self.names.push_str(name);
        self.values.extend_from_slice(value);
        self.ends.push((self.names.len(), self.values.len()));
        if name.eq_ignore_ascii_case("connection") {
            let is_plain =
                |option: &[u8]| [&b"close"[..], b"keep-alive"].iter().any(|o| option.eq_ignore_ascii_case(o));
            let says = if is_plain(trim(value)) { Connection::Plain } else { Connection::Names };
            self.connection = self.connection.max(says);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        let mut start = (0, 0);
        self.ends.iter().map(move |end| {
            let name = self.names.get(start.0..end.0).unwrap_or_default();
            let value = self.values.get(start.1..end.1).unwrap_or_default();
            start = *end;
            Field { name, value }
        })
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Values of every field of this name, in order, white space around them removed.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let mut start = (0, 0);
        self.ends.iter().filter_map(move |end| {
            let (from, to) = (std::mem::replace(&mut start, *end), *end);
            // Most names differ in length, and most heads are looked at for many names.
            if to.0 - from.0 != name.len() {
                return None;
            }
            let is_it = self.names.get(from.0..to.0)?.eq_ignore_ascii_case(name);
            if is_it { self.values.get(from.1..to.1).map(trim) } else { None }
        })
    }

    /// The first value of this name.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// The comma-separated elements of every field of this name.
    pub fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.values(name).flat_map(|value| value.split(|byte| *byte == b',')).map(trim)
    }

    /// Whether an element of this list-valued field is `token`, in whatever case.
    pub fn has_element(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether Connection names this field or connection option.
    pub fn is_of_connection(&self, option: &str) -> bool {
        self.connection != Connection::Absent && self.has_element("connection", option)
    }

    /// Hot: per header. Whether a field concerns this connection only, by its nature or because Connection names it.
    pub fn is_hop_by_hop(&self, name: &str) -> bool {
        // `keep-alive` is among the first; a field named like the option `close` is odd, but named.
        HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop))
            || (self.connection == Connection::Names || name.eq_ignore_ascii_case("close"))
                && self.is_of_connection(name)
    }
}

//! TOML or JSON text -> a tree of plain values. A key written twice is refused in both: of two peaks nobody can say
//! which was meant. Knows no field of a sheet.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// One value of either syntax.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Document {
    Null,
    Flag(bool),
    Number(u64),
    /// Negative, with a fraction, or beyond 64 bits; as text, because nothing in a sheet may be so.
    Odd(String),
    Text(String),
    List(Vec<Document>),
    Table(BTreeMap<String, Document>),
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Document, E> {
        Ok(Document::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Document, E> {
        Ok(Document::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Document, E> {
        Ok(u64::try_from(number).map_or_else(|_| Document::Odd(number.to_string()), Document::Number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Document, E> {
        Ok(Document::Odd(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Document, E> {
        Ok(Document::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Document, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Document::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Document, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = access.next_entry::<String, Document>()? {
            if fields.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format_args!("{key:?} is written twice")));
            }
        }
        Ok(Document::Table(fields))
    }
}

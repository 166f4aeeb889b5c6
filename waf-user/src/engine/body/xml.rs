//! XML text -> its texts and attribute values, for `XML:/*`, `XML://@*` and `XML://text()`. No entity but the five of the
//! grammar and characters by number is expanded, no document type is loaded; a reference to an entity of the document's own is an error, for the origin may
//! read it as anything.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::{BodyError, Extent};
use crate::engine::limits;
use crate::engine::values::Pairs;

/// Reads one document. Linear in the text.
pub fn read(text: &[u8], extent: Extent, values_max: usize, pairs: &mut Pairs) -> Result<(), BodyError> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        // Any other encoding is read byte by byte: markup and attacks are ASCII in all that matter.
        Err(_) => text.iter().copied().map(char::from).collect(),
    };
    let mut reader = Reader::from_str(&text);
    let mut found = Found { values_max, pairs, all: Vec::new(), text: Vec::new() };
    let outcome = found.document(&mut reader, extent);
    found.end_text();
    let all = std::mem::take(&mut found.all);
    found.pairs.insert(0, (b"/*".to_vec(), all));
    outcome
}

struct Found<'a> {
    values_max: usize,
    pairs: &'a mut Pairs,
    all: Vec<u8>,
    /// Of the current element, up to its next tag.
    text: Vec<u8>,
}

impl Found<'_> {
    fn document(&mut self, reader: &mut Reader<&[u8]>, extent: Extent) -> Result<(), BodyError> {
        let (mut depth, mut roots) = (0_usize, 0_usize);
        loop {
            let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let malformed = BodyError::Xml(at);
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(_) if extent == Extent::Prefix => return Ok(()),
                Err(_) => return Err(malformed),
            };
            match event {
                Event::Start(start) => {
                    self.end_text();
                    self.attributes(&start, malformed)?;
                    roots += usize::from(depth == 0);
                    depth += 1;
                    if depth > limits::XML_DEPTH {
                        return Err(BodyError::XmlDepth);
                    }
                }
                Event::Empty(start) => {
                    self.end_text();
                    self.attributes(&start, malformed)?;
                    roots += usize::from(depth == 0);
                }
                Event::End(_) => {
                    self.end_text();
                    depth = depth.saturating_sub(1);
                }
                Event::Text(text) if depth == 0 && !text.trim().is_empty() => return Err(malformed),
                Event::Text(text) => self.text.extend_from_slice(text.as_bytes()),
                Event::CData(text) => self.text.extend_from_slice(text.as_bytes()),
                Event::GeneralRef(name) => {
                    let whole = format!("&{};", &*name);
                    self.text.extend_from_slice(&decoded(&whole).ok_or(BodyError::XmlEntity)?);
                }
                Event::Eof => {
                    let whole = depth == 0 && roots == 1;
                    return if whole || extent == Extent::Prefix { Ok(()) } else { Err(malformed) };
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn attributes(&mut self, start: &BytesStart<'_>, malformed: BodyError) -> Result<(), BodyError> {
        for (index, attribute) in start.attributes().enumerate() {
            if index >= limits::XML_ATTRIBUTES {
                return Err(BodyError::XmlAttributes);
            }
            let attribute = attribute.map_err(|_| malformed)?;
            // Declarations of names are no attributes to XPath.
            let key = attribute.key.as_ref();
            if key != "xmlns" && !key.starts_with("xmlns:") {
                self.push(b"//@*", decoded(&attribute.value).ok_or(BodyError::XmlEntity)?)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, path: &[u8], value: Vec<u8>) -> Result<(), BodyError> {
        if self.pairs.len() >= self.values_max {
            return Err(BodyError::Arguments);
        }
        self.pairs.push((path.to_vec(), value));
        Ok(())
    }

    /// Texts past the limit of values are still part of the whole text.
    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.all.extend_from_slice(&text);
        if !text.is_empty() && self.pairs.len() < self.values_max {
            self.pairs.push((b"//text()".to_vec(), text));
        }
    }
}

/// References undone; None: one to an entity of the document's own.
fn decoded(text: &str) -> Option<Vec<u8>> {
    unescape(text).ok().map(|text| text.into_owned().into_bytes())
}

#[cfg(test)]
mod tests;

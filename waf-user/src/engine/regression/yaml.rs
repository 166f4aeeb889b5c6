//! YAML text -> a tree whose scalars stay text as written, so that a version, an id or a header value is never turned into
//! a number. Knows nothing of tests.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Levels of lists and maps: a test file has about 10. Past it: an error.
const DEPTH_MAX: usize = 64;

/// Nodes that aliases may copy in one document: test files have a few. Past it: an error, so that a file of nested
/// aliases cannot grow without bound.
const NODES_MAX: usize = 1_000_000;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Also null, which is empty.
    Text(String),
    List(Vec<Node>),
    /// In the order written; of a repeated key the last value counts.
    Map(Vec<(String, Node)>),
}

/// Why a text is not a document.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    #[error("line {line}, column {column}: {reason}")]
    Syntax { line: usize, column: usize, reason: String },
    #[error("nested deeper than {DEPTH_MAX}, or more than {NODES_MAX} values by aliases")]
    TooLarge,
}

impl Node {
    /// The value of a key; None for what is no map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A scalar's text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; a scalar counts as a list of one, an empty scalar as none.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(text) if text.is_empty() => &[],
            other => std::slice::from_ref(other),
        }
    }

    /// The pairs of a map.
    pub fn pairs(&self) -> &[(String, Self)] {
        match self {
            Self::Map(pairs) => pairs,
            _ => &[],
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Map(pairs) => 1 + pairs.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }
}

/// A list or map that is not closed yet.
enum Open {
    List(usize, Vec<Node>),
    /// The key that waits for its value stands last.
    Map(usize, Vec<(String, Node)>, Option<String>),
}

/// Reads the first document; an empty text is an empty scalar.
///
/// # Errors
/// Not YAML, or one without bound.
pub fn read(text: &str) -> Result<Node, YamlError> {
    let mut reader = Reader { open: Vec::new(), anchors: HashMap::new(), copied: 0, root: None };
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| YamlError::Syntax {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            reason: error.info().to_owned(),
        })?;
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "~" | "null" | "Null" | "NULL");
                let text = if null { String::new() } else { text.into_owned() };
                reader.put(anchor, Node::Text(text));
            }
            Event::SequenceStart(anchor, _) => reader.open(Open::List(anchor, Vec::new()))?,
            Event::MappingStart(anchor, _) => reader.open(Open::Map(anchor, Vec::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => reader.close(),
            Event::Alias(anchor) => reader.alias(anchor)?,
            Event::DocumentEnd => break,
            _ => {}
        }
    }
    Ok(reader.root.unwrap_or(Node::Text(String::new())))
}

struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    /// Nodes that aliases copied so far.
    copied: usize,
    root: Option<Node>,
}

impl Reader {
    fn open(&mut self, open: Open) -> Result<(), YamlError> {
        self.open.push(open);
        if self.open.len() > DEPTH_MAX { Err(YamlError::TooLarge) } else { Ok(()) }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List(anchor, items)) => self.put(anchor, Node::List(items)),
            Some(Open::Map(anchor, pairs, _)) => self.put(anchor, Node::Map(pairs)),
            None => {}
        }
    }

    fn alias(&mut self, anchor: usize) -> Result<(), YamlError> {
        let node = self.anchors.get(&anchor).cloned().unwrap_or(Node::Text(String::new()));
        self.copied = self.copied.saturating_add(node.count());
        if self.copied > NODES_MAX {
            return Err(YamlError::TooLarge);
        }
        self.put(0, node);
        Ok(())
    }

    /// A whole value: an item, a key, a key's value, or the document. Anchor 0 is none.
    fn put(&mut self, anchor: usize, node: Node) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, pairs, key)) => match key.take() {
                None => *key = Some(node.text().unwrap_or_default().to_owned()),
                Some(name) if name == "<<" => merge(pairs, &node),
                Some(name) => match pairs.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, value)) => *value = node,
                    None => pairs.push((name, node)),
                },
            },
        }
    }
}

/// `<<`: the pairs of other maps, where the map has no such key itself.
fn merge(pairs: &mut Vec<(String, Node)>, node: &Node) {
    for map in node.items() {
        for (name, value) in map.pairs() {
            if !pairs.iter().any(|(known, _)| known == name) {
                pairs.push((name.clone(), value.clone()));
            }
        }
    }
}

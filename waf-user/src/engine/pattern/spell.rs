//! [`Node`] -> the same pattern in the spelling of the `regex` crate with Unicode off.

use std::fmt::Write;

use super::syntax::{Node, Place, Set, Taking};

/// The text for a pattern that needs no backtracking. Every set is written out as ranges of bytes.
pub fn spelled(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

fn write(node: &Node, text: &mut String) {
    match node {
        Node::Empty => text.push_str("(?:)"),
        Node::Set(set) => write_set(*set, text),
        Node::Place(place) => text.push_str(match place {
            Place::Start => r"\A",
            Place::End => r"\z",
            Place::LineStart => "(?m:^)",
            Place::LineEnd => "(?m:$)",
            Place::LastLineEnd => r"\n?\z",
            Place::WordEdge => r"\b",
            Place::NoWordEdge => r"\B",
        }),
        Node::Capture(_, node) => {
            text.push('(');
            write(node, text);
            text.push(')');
        }
        Node::All(nodes) if nodes.is_empty() => text.push_str("(?:)"),
        Node::All(nodes) => nodes.iter().for_each(|node| match node {
            Node::Any(_) => group(node, text),
            _ => write(node, text),
        }),
        Node::Any(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    text.push('|');
                }
                write(node, text);
            }
        }
        Node::Repeat { node, min, max, taking } => {
            match **node {
                Node::Set(_) | Node::Capture(..) => write(node, text),
                _ => group(node, text),
            }
            // Writing to a String cannot fail.
            let _ = match (min, max) {
                (0, None) => write!(text, "*"),
                (1, None) => write!(text, "+"),
                (0, Some(1)) => write!(text, "?"),
                (min, None) => write!(text, "{{{min},}}"),
                (min, Some(max)) => write!(text, "{{{min},{max}}}"),
            };
            if *taking == Taking::Lazy {
                text.push('?');
            }
        }
        Node::Around { .. } | Node::Atomic(_) | Node::Back { .. } => {
            debug_assert!(false, "such a pattern is never spelled");
        }
    }
}

fn group(node: &Node, text: &mut String) {
    text.push_str("(?:");
    write(node, text);
    text.push(')');
}

fn write_set(set: Set, text: &mut String) {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for byte in set.bytes() {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == byte => *end = byte,
            _ => ranges.push((byte, byte)),
        }
    }
    if let [(from, to)] = ranges.as_slice()
        && from == to
    {
        write_byte(*from, text);
        return;
    }
    if ranges.is_empty() {
        // Nothing is in it: a class that can never match.
        text.push_str(r"[^\x00-\xFF]");
        return;
    }
    text.push('[');
    for (from, to) in ranges {
        write_byte(from, text);
        if from != to {
            text.push('-');
            write_byte(to, text);
        }
    }
    text.push(']');
}

fn write_byte(byte: u8, text: &mut String) {
    match byte.is_ascii_alphanumeric() {
        true => text.push(char::from(byte)),
        // Writing to a String cannot fail.
        false => {
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
}

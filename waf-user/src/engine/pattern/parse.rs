//! Pattern text in the syntax of PCRE (non-UTF, DOTALL, DOLLAR_ENDONLY) -> [`Node`]. What it refuses, no engine here can
//! run: recursion, conditions, callouts, verbs.

use super::class::{self, Escape};
use super::syntax::{Look, Node, Place, Set, Taking};
use super::{PatternError, limits};

/// Parentheses in parentheses: parsing recurses once for each.
const DEPTH: usize = 150;

/// Repetitions of one part, as in `a{2}{3}`: each is a level of the tree, which is walked by recursion.
const REPETITIONS: usize = 8;

/// What `(?ims)` and its kin switch.
#[derive(Clone, Copy, Debug)]
struct Flags {
    folds: bool,
    multi_line: bool,
    dot_all: bool,
    extended: bool,
    ungreedy: bool,
}

/// A parsed pattern.
#[derive(Debug)]
pub struct Parsed {
    pub node: Node,
    /// Capturing groups.
    pub groups: usize,
}

/// # Errors
/// Not a pattern, or one that uses what is refused.
pub fn parse(text: &[u8]) -> Result<Parsed, PatternError> {
    if text.len() > limits::PATTERN_TEXT_BYTES {
        return Err(error(format!("the pattern is longer than {} bytes", limits::PATTERN_TEXT_BYTES)));
    }
    let flags = Flags { folds: false, multi_line: false, dot_all: true, extended: false, ungreedy: false };
    let mut parser = Parser { text, at: 0, groups: 0, names: Vec::new(), depth: 0, flags };
    let node = parser.alternatives()?;
    match parser.peek() {
        None => Ok(Parsed { node, groups: parser.groups }),
        Some(_) => Err(error(format!("unopened group at byte {}", parser.at))),
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    groups: usize,
    names: Vec<(Vec<u8>, usize)>,
    depth: usize,
    flags: Flags,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Flags set inside hold to the end of the group.
    fn alternatives(&mut self) -> Result<Node, PatternError> {
        let mut branches = vec![self.branch()?];
        while self.eat(b"|") {
            branches.push(self.branch()?);
        }
        Ok(if branches.len() == 1 { branches.pop().unwrap_or(Node::Empty) } else { Node::Any(branches) })
    }

    fn branch(&mut self) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| !matches!(byte, b'|' | b')')) {
            if self.skips(byte) {
                continue;
            }
            if self.eat(b"\\Q") {
                let end = memchr::memmem::find(self.rest(), b"\\E").unwrap_or(self.rest().len());
                let quoted: Vec<u8> = self.rest().iter().take(end).copied().collect();
                nodes.extend(quoted.into_iter().map(|byte| self.set(Set::of(byte))));
                self.at += end;
                self.eat(b"\\E");
                if let Some(last) = nodes.pop() {
                    let last = self.repeated(last)?;
                    nodes.push(last);
                }
                continue;
            }
            if self.eat(b"\\E") {
                continue;
            }
            if let Some(node) = self.atom(byte)? {
                let node = self.repeated(node)?;
                nodes.push(node);
            }
        }
        Ok(if nodes.len() == 1 { nodes.pop().unwrap_or(Node::Empty) } else { Node::All(nodes) })
    }

    /// White space and comments under `(?x)`.
    fn skips(&mut self, byte: u8) -> bool {
        if !self.flags.extended {
            return false;
        }
        if byte == b'#' {
            self.at += self.rest().iter().position(|byte| *byte == b'\n').unwrap_or(self.rest().len());
            return true;
        }
        let white = byte.is_ascii_whitespace() || byte == 0x0b;
        self.at += usize::from(white);
        white
    }

    fn atom(&mut self, byte: u8) -> Result<Option<Node>, PatternError> {
        let start = self.at;
        self.at += 1;
        Ok(Some(match byte {
            b'.' if self.flags.dot_all => Node::Set(Set::ANY),
            b'.' => Node::Set(Set::of(b'\n').inverted()),
            b'^' => Node::Place(if self.flags.multi_line { Place::LineStart } else { Place::Start }),
            b'$' => Node::Place(if self.flags.multi_line { Place::LineEnd } else { Place::End }),
            b'[' => {
                let (set, length) = class::bracket(self.rest())?;
                self.at += length;
                self.set_unless_inverted(set)
            }
            b'\\' => return self.escape().map(Some),
            b'(' => return self.group(),
            b'*' | b'+' | b'?' => {
                return Err(error(format!("nothing to repeat at byte {start}")));
            }
            literal => self.set(Set::of(literal)),
        }))
    }

    fn set(&self, set: Set) -> Node {
        Node::Set(if self.flags.folds { set.folded() } else { set })
    }

    /// `[^a]` without case excludes `A` too: the fold comes before the inversion.
    fn set_unless_inverted(&self, (set, inverted): (Set, bool)) -> Node {
        let set = if self.flags.folds { set.folded() } else { set };
        Node::Set(if inverted { set.inverted() } else { set })
    }

    fn escape(&mut self) -> Result<Node, PatternError> {
        let (escape, length) = class::escape(self.rest(), self.groups)?;
        self.at += length;
        let folded = self.flags.folds;
        Ok(match escape {
            Escape::Byte(byte) => self.set(Set::of(byte)),
            Escape::Bytes(bytes) => {
                Node::All(bytes.into_iter().map(|byte| self.set(Set::of(byte))).collect())
            }
            Escape::Set(set) => Node::Set(set),
            Escape::Place(place) => Node::Place(place),
            Escape::Newline => {
                let pair = Node::All(vec![Node::Set(Set::of(b'\r')), Node::Set(Set::of(b'\n'))]);
                Node::Atomic(Box::new(Node::Any(vec![pair, Node::Set(class::vertical())])))
            }
            Escape::Group(group) => Node::Back { group, folded },
            Escape::Relative(back) => {
                let group = (self.groups + 1).checked_sub(back).filter(|group| *group > 0);
                Node::Back { group: group.ok_or_else(|| error("a reference to no group"))?, folded }
            }
            Escape::Named(name) => {
                let found = self.names.iter().find(|(known, _)| *known == name);
                let (_, group) = found.ok_or_else(|| error("a reference to no named group"))?;
                Node::Back { group: *group, folded }
            }
        })
    }

    /// After `(`. None: a comment, or flags for the rest of the group.
    fn group(&mut self) -> Result<Option<Node>, PatternError> {
        if self.eat(b"*") {
            return Err(error("verbs such as (*COMMIT) are not supported"));
        }
        if self.eat(b"?#") {
            let end =
                self.rest().iter().position(|byte| *byte == b')').ok_or_else(|| error("unclosed comment"))?;
            self.at += end + 1;
            return Ok(None);
        }
        let outer = self.flags;
        if !self.eat(b"?") {
            self.groups += 1;
            let group = self.groups;
            let node = self.inside(outer)?;
            return Ok(Some(Node::Capture(group, Box::new(node))));
        }
        for (start, look, negated) in [
            (b"=".as_slice(), Look::Ahead, false),
            (b"!", Look::Ahead, true),
            (b"<=", Look::Behind, false),
            (b"<!", Look::Behind, true),
        ] {
            if self.eat(start) {
                let node = Box::new(self.inside(outer)?);
                return Ok(Some(Node::Around { look, negated, node }));
            }
        }
        if self.eat(b">") {
            return Ok(Some(Node::Atomic(Box::new(self.inside(outer)?))));
        }
        for (start, end) in [(b"P<".as_slice(), b'>'), (b"<", b'>'), (b"'", b'\'')] {
            if self.eat(start) {
                return self.named(end, outer).map(Some);
            }
        }
        self.flagged(outer)
    }

    fn named(&mut self, end: u8, outer: Flags) -> Result<Node, PatternError> {
        let length =
            self.rest().iter().position(|byte| *byte == end).ok_or_else(|| error("unclosed group name"))?;
        let name: Vec<u8> = self.rest().iter().take(length).copied().collect();
        self.at += length + 1;
        self.groups += 1;
        let group = self.groups;
        self.names.push((name, group));
        let node = self.inside(outer)?;
        Ok(Node::Capture(group, Box::new(node)))
    }

    /// `(?i)` or `(?i-s:…)`.
    fn flagged(&mut self, outer: Flags) -> Result<Option<Node>, PatternError> {
        let mut on = true;
        loop {
            let byte = self.peek().ok_or_else(|| error("unclosed group"))?;
            self.at += 1;
            match byte {
                b'-' => on = false,
                b'i' => self.flags.folds = on,
                b'm' => self.flags.multi_line = on,
                b's' => self.flags.dot_all = on,
                b'x' => self.flags.extended = on,
                b'U' => self.flags.ungreedy = on,
                b'J' => {}
                b':' => return self.inside(outer).map(Some),
                b')' => return Ok(None),
                other => return Err(error(format!("unsupported group (?{}", char::from(other)))),
            }
        }
    }

    /// To the closing parenthesis; the flags of outside hold again after it.
    fn inside(&mut self, outer: Flags) -> Result<Node, PatternError> {
        if self.depth >= DEPTH {
            return Err(error(format!("groups nested deeper than {DEPTH}")));
        }
        self.depth += 1;
        let node = self.alternatives()?;
        self.depth -= 1;
        self.flags = outer;
        if !self.eat(b")") {
            return Err(error("unclosed group"));
        }
        Ok(node)
    }

    fn repeated(&mut self, node: Node) -> Result<Node, PatternError> {
        let mut node = node;
        for _ in 0..=REPETITIONS {
            while let Some(byte) = self.peek().filter(|_| self.flags.extended) {
                if !self.skips(byte) {
                    break;
                }
            }
            let (min, max, length) = match self.peek() {
                Some(b'*') => (0, None, 1),
                Some(b'+') => (1, None, 1),
                Some(b'?') => (0, Some(1), 1),
                Some(b'{') => match class::counted(self.rest())? {
                    Some(counted) => counted,
                    None => return Ok(node),
                },
                _ => return Ok(node),
            };
            self.at += length;
            let (plain, other) = match self.flags.ungreedy {
                false => (Taking::Greedy, Taking::Lazy),
                true => (Taking::Lazy, Taking::Greedy),
            };
            let taking = match self.peek() {
                Some(b'?') => other,
                Some(b'+') => Taking::Possessive,
                _ => plain,
            };
            self.at += usize::from(taking != plain);
            node = Node::Repeat { node: Box::new(node), min, max, taking };
        }
        Err(error(format!("a repetition of more than {REPETITIONS} repetitions")))
    }
}

pub fn error(reason: impl Into<String>) -> PatternError {
    PatternError { reason: reason.into() }
}

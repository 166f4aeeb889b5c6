//! The meaning of a pattern as a tree: what PCRE's grammar says, with flags already applied to the parts they hold for.
//! Everything is bytes; letters match without case only in ASCII.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set {
    bits: [u128; 2],
}

impl Set {
    pub const ANY: Self = Self { bits: [u128::MAX; 2] };

    pub fn of(byte: u8) -> Self {
        let mut set = Self::default();
        set.add(byte);
        set
    }

    pub fn range(from: u8, to: u8) -> Self {
        let mut set = Self::default();
        (from..=to).for_each(|byte| set.add(byte));
        set
    }

    pub fn of_all(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self::default();
        bytes.into_iter().for_each(|byte| set.add(byte));
        set
    }

    pub fn add(&mut self, byte: u8) {
        let [low, high] = &mut self.bits;
        let half = if byte < 128 { low } else { high };
        *half |= 1 << (byte & 127);
    }

    /// Hot: per byte.
    pub fn has(self, byte: u8) -> bool {
        let [low, high] = self.bits;
        let half = if byte < 128 { low } else { high };
        half >> (byte & 127) & 1 == 1
    }

    pub fn union(self, other: Self) -> Self {
        let ([low, high], [other_low, other_high]) = (self.bits, other.bits);
        Self { bits: [low | other_low, high | other_high] }
    }

    pub fn inverted(self) -> Self {
        let [low, high] = self.bits;
        Self { bits: [!low, !high] }
    }

    /// With the other case of each ASCII letter in it.
    pub fn folded(self) -> Self {
        let mut folded = self;
        for byte in (0..128).filter(|byte| self.has(*byte)) {
            folded.add(byte.to_ascii_lowercase());
            folded.add(byte.to_ascii_uppercase());
        }
        folded
    }

    pub fn bytes(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.has(*byte))
    }
}

/// How a repetition takes what it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    Greedy,
    Lazy,
    /// Gives nothing back.
    Possessive,
}

/// A place, no byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Start,
    End,
    LineStart,
    LineEnd,
    /// At the end, or before a newline that ends the value.
    LastLineEnd,
    WordEdge,
    NoWordEdge,
}

/// Which way a look-around looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Ahead,
    Behind,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Empty,
    Set(Set),
    Place(Place),
    /// Index: groups are numbered from 1 by their opening parenthesis.
    Capture(usize, Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        taking: Taking,
    },
    Around {
        look: Look,
        negated: bool,
        node: Box<Node>,
    },
    Atomic(Box<Node>),
    /// What a group matched, again.
    Back {
        group: usize,
        folded: bool,
    },
}

impl Node {
    /// Whether only backtracking can match it.
    pub fn backtracks(&self) -> bool {
        match self {
            Self::Around { .. } | Self::Atomic(_) | Self::Back { .. } => true,
            Self::Repeat { taking: Taking::Possessive, .. } => true,
            Self::Empty | Self::Set(_) | Self::Place(_) => false,
            Self::Capture(_, node) | Self::Repeat { node, .. } => node.backtracks(),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::backtracks),
        }
    }
}

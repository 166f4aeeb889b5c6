//! [`Node`] -> instructions of the backtracking machine.

use crate::engine::limits;
use crate::engine::pattern::PatternError;
use crate::engine::pattern::parse::error;
use crate::engine::pattern::syntax::{Look, Node, Place, Set, Taking};

/// One step of the machine; numbers are indexes of instructions or slots.
#[derive(Clone, Copy, Debug)]
pub enum Instruction {
    Match,
    Set(Set),
    Place(Place),
    Jump(usize),
    /// The second is tried where the first fails.
    Split {
        first: usize,
        second: usize,
    },
    /// Keeps the position.
    Save(usize),
    /// Fails where the position is the kept one.
    Progress(usize),
    Back {
        group: usize,
        folded: bool,
    },
    /// `body` to its Match, then `next`; nothing inside is tried again.
    Atomic {
        body: usize,
        next: usize,
    },
    Around {
        look: Look,
        negated: bool,
        length: usize,
        body: usize,
        next: usize,
    },
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Program {
    pub instructions: Vec<Instruction>,
    pub start: usize,
    /// Two for each group and group 0, then one for each loop.
    pub slots: usize,
}

impl Program {
    /// # Errors
    /// A look-behind of no fixed length, or more instructions than the limit.
    pub fn compile(node: &Node, groups: usize) -> Result<Self, PatternError> {
        let mut program = Self { instructions: Vec::new(), start: 0, slots: groups * 2 + 2 };
        program.add(node)?;
        program.push(Instruction::Match)?;
        Ok(program)
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, PatternError> {
        if self.instructions.len() >= limits::BACKTRACK_INSTRUCTIONS {
            return Err(error("the pattern exceeds the size limit of the backtracking fallback"));
        }
        self.instructions.push(instruction);
        Ok(self.instructions.len() - 1)
    }

    fn set(&mut self, at: usize, instruction: Instruction) {
        if let Some(slot) = self.instructions.get_mut(at) {
            *slot = instruction;
        }
    }

    fn here(&self) -> usize {
        self.instructions.len()
    }

    fn add(&mut self, node: &Node) -> Result<(), PatternError> {
        match node {
            Node::Empty => {}
            Node::Set(set) => drop(self.push(Instruction::Set(*set))?),
            Node::Place(place) => drop(self.push(Instruction::Place(*place))?),
            Node::Back { group, folded } => {
                self.push(Instruction::Back { group: *group, folded: *folded })?;
            }
            Node::Capture(group, node) => {
                self.push(Instruction::Save(group * 2))?;
                self.add(node)?;
                self.push(Instruction::Save(group * 2 + 1))?;
            }
            Node::All(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Node::Any(nodes) => self.alternatives(nodes)?,
            Node::Repeat { node, min, max, taking: Taking::Possessive } => {
                let greedy =
                    Node::Repeat { node: node.clone(), min: *min, max: *max, taking: Taking::Greedy };
                self.atomic(&greedy)?;
            }
            Node::Repeat { node, min, max, taking } => self.repeat(node, *min, *max, *taking)?,
            Node::Atomic(node) => self.atomic(node)?,
            Node::Around { look: Look::Ahead, negated, node } => {
                self.around(Look::Ahead, *negated, 0, node)?
            }
            Node::Around { look: Look::Behind, negated, node } => self.behind(*negated, node)?,
        }
        Ok(())
    }

    fn alternatives(&mut self, nodes: &[Node]) -> Result<(), PatternError> {
        let mut jumps = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if index + 1 == nodes.len() {
                self.add(node)?;
                break;
            }
            let split = self.push(Instruction::Match)?;
            self.add(node)?;
            jumps.push(self.push(Instruction::Match)?);
            let second = self.here();
            self.set(split, Instruction::Split { first: split + 1, second });
        }
        let end = self.here();
        jumps.into_iter().for_each(|jump| self.set(jump, Instruction::Jump(end)));
        Ok(())
    }

    fn repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: Option<u32>,
        taking: Taking,
    ) -> Result<(), PatternError> {
        for _ in 0..min {
            let before = self.here();
            self.add(node)?;
            // What needs no instruction needs none however often: nested counts would still be walked one by one.
            if self.here() == before {
                return Ok(());
            }
        }
        let split = |taken, after| match taking {
            Taking::Lazy => Instruction::Split { first: after, second: taken },
            _ => Instruction::Split { first: taken, second: after },
        };
        let Some(max) = max else {
            let slot = self.slots;
            self.slots += 1;
            let turn = self.push(Instruction::Match)?;
            self.push(Instruction::Save(slot))?;
            self.add(node)?;
            self.push(Instruction::Progress(slot))?;
            self.push(Instruction::Jump(turn))?;
            let after = self.here();
            self.set(turn, split(turn + 1, after));
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(Instruction::Match)?);
            self.add(node)?;
        }
        let after = self.here();
        splits.into_iter().for_each(|at| self.set(at, split(at + 1, after)));
        Ok(())
    }

    fn atomic(&mut self, node: &Node) -> Result<(), PatternError> {
        let at = self.push(Instruction::Match)?;
        self.add(node)?;
        self.push(Instruction::Match)?;
        let next = self.here();
        self.set(at, Instruction::Atomic { body: at + 1, next });
        Ok(())
    }

    fn around(&mut self, look: Look, negated: bool, length: usize, node: &Node) -> Result<(), PatternError> {
        let at = self.push(Instruction::Match)?;
        self.add(node)?;
        self.push(Instruction::Match)?;
        let next = self.here();
        self.set(at, Instruction::Around { look, negated, length, body: at + 1, next });
        Ok(())
    }

    /// Each alternative of a look-behind has a length of its own: one look each.
    fn behind(&mut self, negated: bool, node: &Node) -> Result<(), PatternError> {
        let alone = std::slice::from_ref(node);
        let branches = if let Node::Any(branches) = node { branches.as_slice() } else { alone };
        let length = |node| length(node).ok_or_else(|| error("a look-behind of no fixed length"));
        if let (false, [_, _, ..]) = (negated, branches) {
            let looks = branches.iter().map(|node| Node::Around {
                look: Look::Behind,
                negated,
                node: Box::new(node.clone()),
            });
            return self.alternatives(&looks.collect::<Vec<_>>());
        }
        branches.iter().try_for_each(|node| self.around(Look::Behind, negated, length(node)?, node))
    }
}

/// Bytes that a node always takes; None where that varies.
fn length(node: &Node) -> Option<usize> {
    match node {
        Node::Empty | Node::Place(_) | Node::Around { .. } => Some(0),
        Node::Set(_) => Some(1),
        Node::Capture(_, node) | Node::Atomic(node) => length(node),
        Node::All(nodes) => nodes.iter().map(length).sum(),
        Node::Any(nodes) => {
            let first = nodes.first().and_then(length)?;
            nodes.iter().all(|node| length(node) == Some(first)).then_some(first)
        }
        Node::Repeat { node, min, max, .. } => {
            let times = usize::try_from(*min).ok().filter(|_| *max == Some(*min))?;
            length(node)?.checked_mul(times)
        }
        Node::Back { .. } => None,
    }
}

//! The fallback for patterns with look-around, back-references or atomic groups: a program and a backtracking machine
//! with a hard limit of steps. Never used for any other pattern: its time is bounded, not linear.

mod program;

use super::PatternError;
use super::parse::Parsed;
use super::syntax::{Look, Place};
use program::{Instruction, Program};

/// A pattern that backtracks.
#[derive(Debug)]
pub struct Backtrack {
    program: Program,
    groups: usize,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Miss,
    /// Group 0 first; None: the group took no part.
    Hit(Vec<Option<(usize, usize)>>),
    /// The steps are spent: neither is known.
    Spent,
}

impl Backtrack {
    /// # Errors
    /// A look-behind of no fixed length, or a program larger than the limit.
    pub fn new(parsed: &Parsed) -> Result<Self, PatternError> {
        Ok(Self { program: Program::compile(&parsed.node, parsed.groups)?, groups: parsed.groups })
    }

    /// Hot: per value. At most `steps_max` steps; how many it took.
    pub fn search(&self, value: &[u8], from: usize, steps_max: usize) -> (Outcome, usize) {
        let slots = vec![None; self.program.slots];
        let mut machine = Machine { program: &self.program, value, slots, steps: 0, steps_max };
        let outcome = self.outcome(&mut machine, value, from);
        (outcome, machine.steps)
    }

    fn outcome(&self, machine: &mut Machine<'_>, value: &[u8], from: usize) -> Outcome {
        for start in from..=value.len() {
            match machine.run(self.program.start, start) {
                Ran::Matched(end) => {
                    let mut groups = vec![Some((start, end))];
                    groups.extend((1..=self.groups).map(|group| {
                        let slot = |index: usize| machine.slots.get(index).copied().flatten();
                        Some((slot(group * 2)?, slot(group * 2 + 1)?))
                    }));
                    return Outcome::Hit(groups);
                }
                Ran::Failed => {}
                Ran::Spent => return Outcome::Spent,
            }
        }
        Outcome::Miss
    }
}

enum Ran {
    Matched(usize),
    Failed,
    Spent,
}

/// Something to take up again, or to undo, on the way back.
enum Back {
    Branch { at: usize, position: usize },
    Slot { index: usize, before: Option<usize> },
}

struct Machine<'a> {
    program: &'a Program,
    value: &'a [u8],
    slots: Vec<Option<usize>>,
    steps: usize,
    steps_max: usize,
}

impl Machine<'_> {
    /// Runs from an instruction to its Match. On a match the slots keep what was set; else they are as before.
    fn run(&mut self, start: usize, position: usize) -> Ran {
        let mut stack: Vec<Back> = Vec::new();
        let (mut at, mut position) = (start, position);
        loop {
            self.steps += 1;
            if self.steps > self.steps_max {
                return Ran::Spent;
            }
            let next = match self.program.instructions.get(at) {
                None => None,
                Some(Instruction::Match) => return Ran::Matched(position),
                Some(Instruction::Set(set)) => {
                    let fits = self.value.get(position).is_some_and(|byte| set.has(*byte));
                    fits.then(|| (at + 1, position + 1))
                }
                Some(Instruction::Place(place)) => {
                    self.stands(*place, position).then_some((at + 1, position))
                }
                Some(Instruction::Jump(to)) => Some((*to, position)),
                Some(Instruction::Split { first, second }) => {
                    stack.push(Back::Branch { at: *second, position });
                    Some((*first, position))
                }
                Some(Instruction::Save(index)) => {
                    if let Some(slot) = self.slots.get_mut(*index) {
                        stack.push(Back::Slot { index: *index, before: *slot });
                        *slot = Some(position);
                    }
                    Some((at + 1, position))
                }
                // A turn of a loop that took nothing would go on for ever.
                Some(Instruction::Progress(index)) => {
                    let moved = self.slots.get(*index).copied().flatten() != Some(position);
                    moved.then_some((at + 1, position))
                }
                Some(Instruction::Back { group, folded }) => {
                    self.repeats(*group, *folded, position).map(|end| (at + 1, end))
                }
                Some(Instruction::Atomic { body, next }) => match self.kept(*body, position, &mut stack) {
                    Ran::Matched(end) => Some((*next, end)),
                    Ran::Failed => None,
                    Ran::Spent => return Ran::Spent,
                },
                Some(Instruction::Around { look, negated, length, body, next }) => {
                    let from = match look {
                        Look::Ahead => Some(position),
                        Look::Behind => position.checked_sub(*length),
                    };
                    let ran = match from {
                        Some(from) if *negated => self.tried(*body, from),
                        Some(from) => self.kept(*body, from, &mut stack),
                        None => Ran::Failed,
                    };
                    match (ran, *negated) {
                        (Ran::Spent, _) => return Ran::Spent,
                        (Ran::Matched(_), false) | (Ran::Failed, true) => Some((*next, position)),
                        (Ran::Matched(_), true) | (Ran::Failed, false) => None,
                    }
                }
            };
            (at, position) = match next {
                Some(next) => next,
                None => match self.back(&mut stack) {
                    Some(branch) => branch,
                    None => return Ran::Failed,
                },
            };
        }
    }

    /// Undoes down to the last branch.
    fn back(&mut self, stack: &mut Vec<Back>) -> Option<(usize, usize)> {
        loop {
            match stack.pop()? {
                Back::Branch { at, position } => return Some((at, position)),
                Back::Slot { index, before } => {
                    if let Some(slot) = self.slots.get_mut(index) {
                        *slot = before;
                    }
                }
            }
        }
    }

    /// A part of its own whose captures stay; they are undone if what follows fails.
    fn kept(&mut self, body: usize, position: usize, stack: &mut Vec<Back>) -> Ran {
        let before = self.copied();
        let ran = self.run(body, position);
        for (index, (before, after)) in before.into_iter().zip(&self.slots).enumerate() {
            if before != *after {
                stack.push(Back::Slot { index, before });
            }
        }
        ran
    }

    /// The slots as they are; copying them is work like any other.
    fn copied(&mut self) -> Vec<Option<usize>> {
        self.steps += self.slots.len() / 8;
        self.slots.clone()
    }

    fn tried(&mut self, body: usize, position: usize) -> Ran {
        let before = self.copied();
        let ran = self.run(body, position);
        self.slots = before;
        ran
    }

    fn stands(&self, place: Place, position: usize) -> bool {
        let before = position.checked_sub(1).and_then(|before| self.value.get(before)).copied();
        let after = self.value.get(position).copied();
        let word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match place {
            Place::Start => position == 0,
            Place::End => after.is_none(),
            Place::LineStart => before.is_none_or(|byte| byte == b'\n'),
            Place::LineEnd => after.is_none_or(|byte| byte == b'\n'),
            Place::LastLineEnd => {
                after.is_none() || (after == Some(b'\n') && position + 1 == self.value.len())
            }
            Place::WordEdge => word(before) != word(after),
            Place::NoWordEdge => word(before) == word(after),
        }
    }

    /// The end of what a group matched, again at the position. A group that took no part matches nothing.
    fn repeats(&mut self, group: usize, folded: bool, position: usize) -> Option<usize> {
        let slot = |index: usize| self.slots.get(index).copied().flatten();
        let matched = self.value.get(slot(group * 2)?..slot(group * 2 + 1)?)?;
        let here = self.value.get(position..position + matched.len())?;
        self.steps += matched.len();
        let same = if folded { here.eq_ignore_ascii_case(matched) } else { here == matched };
        same.then_some(position + matched.len())
    }
}

#[cfg(test)]
mod tests;

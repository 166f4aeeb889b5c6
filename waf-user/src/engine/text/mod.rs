//! Rule text -> statements with the place of every word, and mistakes shown with a caret. Knows the spelling of
//! SecLang, not its meaning.

pub mod diagnostic;
pub mod lexer;
pub mod parser;
pub mod statement;

pub use diagnostic::{Mistake, Place, Source, render};
pub use lexer::Word;
pub use statement::{ActionText, OperatorText, RuleText, Statement, TargetText};

#[cfg(test)]
mod tests;

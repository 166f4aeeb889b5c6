//! Regression tests of rule sets: text of test files in the public format -> each test's outcome, in process. Bytes in,
//! verdict out; no socket, no clock, no file.

mod answer;
mod expected;
mod input;
mod reader;
mod run;
mod settings;
mod test_file;
mod yaml;

pub use answer::Answer;
pub use expected::Expected;
pub use input::Input;
pub use reader::{ReadRequest, read as read_request};
pub use run::{Ended, Happened, Runner, feed_answer, feed_request};
pub use settings::{around as with_test_settings, initial as test_settings};
pub use test_file::{Kind, Stage, Test, TestFileError, read as read_tests};

#[cfg(test)]
mod tests;

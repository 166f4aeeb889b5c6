//! Lines of libtest's output -> counts, skips, and which lines a person wants to see.

use std::fmt;

/// Counts over all test programs of a run.
#[derive(Debug, Default)]
pub struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    skips: Vec<String>,
    /// Inside the printed output of tests that passed.
    in_successes: bool,
}

impl Tally {
    /// Takes one line; true where it is worth showing.
    pub fn take(&mut self, line: &str) -> bool {
        let text = line.trim();
        match text {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            _ => {}
        }
        if text.starts_with("skipped:") && !self.skips.iter().any(|skip| skip == text) {
            self.skips.push(text.to_owned());
        }
        if let Some(counts) = text.strip_prefix("test result:") {
            self.in_successes = false;
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
            self.ignored += count(counts, "ignored");
            return true;
        }
        let is_quiet = text.is_empty() || (text.starts_with("test ") && text.ends_with("... ok"));
        !self.in_successes && !is_quiet
    }

    pub fn passed(&self) -> u64 {
        self.passed
    }

    pub fn failed(&self) -> u64 {
        self.failed
    }

    pub fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// Every different `skipped: …` line.
    pub fn skips(&self) -> &[String] {
        &self.skips
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        let skipped = self.ignored + self.skips.len() as u64;
        if skipped > 0 {
            write!(f, ", {skipped} skipped")?;
        }
        Ok(())
    }
}

/// The number before a word: `ok. 12 passed; 0 failed; …`.
fn count(counts: &str, word: &str) -> u64 {
    let words: Vec<&str> = counts.split([' ', ';', '.']).filter(|part| !part.is_empty()).collect();
    let pair = words.windows(2).find(|pair| pair[1] == word);
    pair.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;

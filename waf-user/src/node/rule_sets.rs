//! Lists of rule files -> compiled rule sets, each distinct content compiled and kept once however many tenants have it,
//! and not compiled anew by a reload that finds every file as it was.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::rule_files::{self, Disk};
use crate::engine::{RuleErrors, RuleFile, RuleFiles, RuleSet};

/// Why a list of rule files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleSetError {
    #[error("read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("compile the rules")]
    Compile(#[source] RuleErrors),
}

/// Compiled rule sets, kept from one configuration to the next.
#[derive(Debug, Default)]
pub struct RuleSets {
    kept: Mutex<Vec<Kept>>,
    /// Two keys, drawn once for this process: nobody can write two files that it takes for the same.
    keys: [RandomState; 2],
}

/// 128 bits.
type Digest = [u64; 2];

/// A rule set with what it was made of.
#[derive(Clone, Debug)]
struct Kept {
    list: Vec<PathBuf>,
    sources: Sources,
    rules: Arc<RuleSet>,
}

/// Everything that was read while the rules were compiled.
#[derive(Clone, Debug, Default)]
struct Sources {
    /// Each file once; None: it was not there.
    files: Vec<(PathBuf, Option<Digest>)>,
    /// Every reading in order, as its file's place above.
    order: Vec<usize>,
    /// The including file, the pattern, and what it named.
    globs: Vec<(String, String, Vec<String>)>,
}

/// The sets of one configuration in the making. What is not asked for by the end is forgotten by [`Gathering::keep`].
#[derive(Debug)]
pub struct Gathering<'a> {
    sets: &'a RuleSets,
    found: Vec<Kept>,
    starter: Option<Arc<RuleSet>>,
}

impl RuleSets {
    pub fn gather(&self) -> Gathering<'_> {
        Gathering { sets: self, found: Vec::new(), starter: None }
    }

    fn digest(&self, text: &[u8]) -> Digest {
        [0, 1].map(|key: usize| self.keys.get(key).map_or(0, |key| key.hash_one(text)))
    }

    /// Lists of the configuration that is served now.
    fn kept(&self) -> Vec<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Gathering<'_> {
    /// The rules of a list of files; None: those that this machine has by default.
    ///
    /// # Errors
    /// See [`RuleSetError`].
    pub fn of(&mut self, list: Option<&[PathBuf]>) -> Result<Arc<RuleSet>, RuleSetError> {
        let packaged = Path::new(rule_files::PACKAGED);
        match list {
            // None at all, not even the engine's own refusals.
            Some([]) => Ok(Arc::default()),
            Some(list) => self.of_files(list),
            None if packaged.is_file() => self.of_files(&[packaged.to_owned()]),
            None => self.starter(),
        }
    }

    /// Rules in all sets together.
    pub fn rules(&self) -> usize {
        let mut seen: Vec<&Arc<RuleSet>> = Vec::new();
        for rules in self.found.iter().map(|kept| &kept.rules).chain(&self.starter) {
            if !seen.iter().any(|other| Arc::ptr_eq(other, rules)) {
                seen.push(rules);
            }
        }
        seen.iter().map(|rules| rules.len()).sum()
    }

    /// Whether a tenant got the starter rules for want of better ones.
    pub fn fell_back(&self) -> bool {
        self.starter.is_some()
    }

    /// The configuration is whole: its sets are the ones to be found next time.
    pub fn keep(self) {
        *self.sets.kept.lock().unwrap_or_else(PoisonError::into_inner) = self.found;
    }

    fn of_files(&mut self, list: &[PathBuf]) -> Result<Arc<RuleSet>, RuleSetError> {
        if let Some(known) = self.found.iter().find(|kept| kept.list == list) {
            return Ok(Arc::clone(&known.rules));
        }
        let kept = self.sets.kept();
        let unchanged = kept.iter().find(|kept| kept.list == list && self.is_unchanged(&kept.sources));
        if let Some(kept) = unchanged {
            self.found.push(kept.clone());
            return Ok(Arc::clone(&kept.rules));
        }
        let reading = Reading::default();
        let read = |path: &PathBuf| {
            reading.file(path).map_err(|source| RuleSetError::Read { path: path.clone(), source })
        };
        let files = list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let compiled = RuleSet::compile_with_defaults(&files, &reading).map_err(RuleSetError::Compile)?;
        let sources = reading.sources(self.sets);
        // Other names for the same text, in the same order.
        let same = self.found.iter().chain(&kept).find(|other| other.sources.is_same_text(&sources));
        let rules = same.map_or_else(|| Arc::new(compiled), |other| Arc::clone(&other.rules));
        self.found.push(Kept { list: list.to_vec(), sources, rules: Arc::clone(&rules) });
        Ok(rules)
    }

    fn is_unchanged(&self, sources: &Sources) -> bool {
        let same_file = |(path, digest): &(PathBuf, Option<Digest>)| {
            Disk::read_file(path).ok().map(|file| self.sets.digest(&file.text)) == *digest
        };
        let same_names = |(from, pattern, names): &(String, String, Vec<String>)| {
            Disk.glob(pattern, from).is_ok_and(|found| found == *names)
        };
        sources.globs.iter().all(same_names) && sources.files.iter().all(same_file)
    }

    fn starter(&mut self) -> Result<Arc<RuleSet>, RuleSetError> {
        if let Some(starter) = &self.starter {
            return Ok(Arc::clone(starter));
        }
        let file =
            RuleFile { name: "starter.conf".to_owned(), text: rule_files::STARTER.as_bytes().to_vec() };
        let compiled = RuleSet::compile_with_defaults(&[file], &Disk).map_err(RuleSetError::Compile)?;
        Ok(Arc::clone(self.starter.insert(Arc::new(compiled))))
    }
}

impl Sources {
    fn is_same_text(&self, other: &Self) -> bool {
        self.texts().eq(other.texts())
    }

    fn texts(&self) -> impl Iterator<Item = Digest> {
        self.order.iter().filter_map(|place| self.files.get(*place).and_then(|(_, digest)| *digest))
    }
}

/// The disk, with a note of everything that is read. A file is read once, so that all of a compilation sees the same.
#[derive(Debug, Default)]
struct Reading {
    noted: RefCell<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    files: Vec<(PathBuf, Option<RuleFile>)>,
    places: HashMap<PathBuf, usize>,
    order: Vec<usize>,
    globs: Vec<(String, String, Vec<String>)>,
}

impl Reading {
    fn file(&self, path: &Path) -> io::Result<RuleFile> {
        let mut noted = self.noted.borrow_mut();
        if let Some(place) = noted.places.get(path).copied() {
            noted.order.push(place);
            let file = noted.files.get(place).and_then(|(_, file)| file.clone());
            return file.ok_or_else(|| io::ErrorKind::NotFound.into());
        }
        let read = Disk::read_file(path);
        let place = noted.files.len();
        noted.files.push((path.to_owned(), read.as_ref().ok().cloned()));
        noted.places.insert(path.to_owned(), place);
        noted.order.push(place);
        read
    }

    fn sources(self, sets: &RuleSets) -> Sources {
        let Noted { files, order, globs, .. } = self.noted.into_inner();
        let digested =
            |(path, file): (PathBuf, Option<RuleFile>)| (path, file.map(|file| sets.digest(&file.text)));
        Sources { files: files.into_iter().map(digested).collect(), order, globs }
    }
}

impl RuleFiles for Reading {
    fn read(&self, path: &str, from: &str) -> io::Result<RuleFile> {
        self.file(&rule_files::beside(from, path))
    }

    fn glob(&self, pattern: &str, from: &str) -> io::Result<Vec<String>> {
        let found = Disk.glob(pattern, from)?;
        self.noted.borrow_mut().globs.push((from.to_owned(), pattern.to_owned(), found.clone()));
        Ok(found)
    }
}

#[cfg(test)]
mod tests;

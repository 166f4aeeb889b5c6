//! The rule engine's view of the disk: files by name, relative to the file that names them; and the rules that a machine
//! has by default.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::files::expand_pattern;
use crate::engine::{RuleFile, RuleFiles};

/// Bytes of one file of rules or data: the largest data file of CRS has less than one.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Where Debian's package modsecurity-crs names its own files in their order: set-up, the operator's exclusions, rules,
/// exclusions again.
pub const PACKAGED: &str = "/usr/share/modsecurity-crs/owasp-crs.load";

/// What stands in where no Core Rule Set is installed.
pub const STARTER: &str = include_str!("../../rules/starter.conf");

/// Reads from this machine's disk.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Disk {
    /// # Errors
    /// The file cannot be read, or is too large to be one of rules.
    pub fn read_file(path: &Path) -> io::Result<RuleFile> {
        let mut text = Vec::new();
        File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes")));
        }
        Ok(RuleFile { name: path.display().to_string(), text })
    }
}

impl RuleFiles for Disk {
    fn read(&self, path: &str, from: &str) -> io::Result<RuleFile> {
        Self::read_file(&beside(from, path))
    }

    fn glob(&self, pattern: &str, from: &str) -> io::Result<Vec<String>> {
        let found = expand_pattern(&folder_of(from), pattern)?;
        Ok(found.into_iter().map(|path| path.display().to_string()).collect())
    }
}

/// A path as the file `from` means it.
pub fn beside(from: &str, path: &str) -> PathBuf {
    folder_of(from).join(path)
}

fn folder_of(from: &str) -> PathBuf {
    Path::new(from).parent().unwrap_or(Path::new("")).to_owned()
}

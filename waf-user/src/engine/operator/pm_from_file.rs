//! @pmFromFile, @pmf: as @pm, with one phrase a line of the files.
//!
//! Argument: file names relative to the rule file, separated by white space; `#` lines and empty ones are left out.
//!
//! Example: `SecRule REQUEST_HEADERS:User-Agent "@pmFromFile scanners.data" "id:1,phase:1,deny"`

use super::{ArgumentError, Hit, Pm, ReadData};
use crate::engine::values::Values;

/// @pmFromFile.
#[derive(Clone, Debug)]
pub struct PmFromFile {
    phrases: Pm,
}

impl PmFromFile {
    /// # Errors
    /// A file that cannot be read, or files without a phrase.
    pub fn new(argument: &[u8], data: ReadData<'_>) -> Result<Self, ArgumentError> {
        let paths = String::from_utf8_lossy(argument);
        let mut text = Vec::new();
        for path in paths.split_ascii_whitespace() {
            let file = data(path);
            text.extend(file.map_err(|source| ArgumentError::DataFile { path: path.to_owned(), source })?);
            text.push(b'\n');
        }
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let phrases = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        Ok(Self { phrases: Pm::of(phrases)? })
    }

    /// The phrase that matched, as the file has it.
    pub fn phrase(&self, value: &[u8]) -> Option<Vec<u8>> {
        self.phrases.phrase(value)
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        self.phrases.matches(value, values)
    }
}

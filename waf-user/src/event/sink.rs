//! One log file: whole lines in, appended in batches. What the lines say is not known here.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::limits::BATCH_BYTES_MAX;

/// Readable for the log shipper's group, for nobody else: visitors' addresses stand in it.
const MODE: u32 = 0o640;

/// A file that grows by lines.
#[derive(Debug)]
pub struct Sink {
    path: PathBuf,
    file: File,
    batch: Vec<u8>,
    lines: u64,
    /// The file may end inside a line: of a process that was killed, or of a disk that was full.
    torn: bool,
}

impl Sink {
    /// Opens for appending, making the file where it is missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)?;
        let torn = ends_inside_a_line(&mut file)?;
        Ok(Self { path: path.to_owned(), file, batch: Vec::new(), lines: 0, torn })
    }

    /// Opens the path anew, after a rotation. On failure the old file stays in use.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn reopen(&mut self) -> io::Result<()> {
        *self = Self::open(&self.path)?;
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds one line, its end included. Returns whether the batch is full and to be written.
    pub fn add(&mut self, line: &[u8]) -> bool {
        self.batch.extend_from_slice(line);
        self.lines += 1;
        self.batch.len() >= BATCH_BYTES_MAX
    }

    /// Writes the batch.
    ///
    /// # Errors
    /// How many lines were lost, with the cause. The next batch begins on a line of its own.
    pub fn write(&mut self) -> Result<(), (u64, io::Error)> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let result = if self.torn { self.file.write_all(b"\n") } else { Ok(()) };
        let result = result.and_then(|()| self.file.write_all(&self.batch));
        let lines = std::mem::take(&mut self.lines);
        self.batch.clear();
        self.torn = result.is_err();
        result.map_err(|error| (lines, error))
    }
}

/// What is no regular file (a pipe, /dev/stdout) has no end to look at.
fn ends_inside_a_line(file: &mut File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

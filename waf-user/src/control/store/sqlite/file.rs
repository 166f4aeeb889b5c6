//! The store's file: made for this user alone, locked against other processes, opened with the settings that make a
//! commit durable. Knows nothing of what is in it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::control::store::StoreError;
use crate::control::store::limits::{BUSY_WITHIN, JOURNAL_BYTES_MAX};

use super::FILE_NAME;

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Prepared statements of a connection: all there are.
const STATEMENTS_MAX: usize = 64;

/// Where the store lies; also turns SQLite's errors into ours.
pub struct Place {
    path: PathBuf,
}

/// Keeps other processes out.
pub struct Lock(File);

impl Drop for Lock {
    /// Not left to the file's closing: a child that this process has just made may hold a copy of it until its `exec`.
    fn drop(&mut self) {
        let _never_fails_where_it_was_locked = self.0.unlock();
    }
}

impl Place {
    /// Makes directory and file where they are missing, and locks the store until what is returned is dropped.
    ///
    /// # Errors
    /// One of them cannot be made, or another process has the store.
    pub fn prepare(directory: &Path) -> Result<(Self, Lock), StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(directory)
            .map_err(|source| StoreError::Directory { path: directory.to_owned(), source })?;
        let path = directory.join(FILE_NAME);
        // A file of its own: SQLite's locks are of the same kind, and closing any descriptor of a file ends them.
        let lock = private(&directory.join("store.lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path }),
            Err(TryLockError::Error(source)) => return Err(StoreError::File { path, source }),
        }
        // SQLite gives its journal the mode that the file has.
        drop(private(&path)?);
        Ok((Self { path }, Lock(lock)))
    }

    /// A connection that may read and write.
    ///
    /// # Errors
    /// SQLite cannot open the file or will not be set up.
    pub fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let doing = "open the store";
        let connection = Connection::open_with_flags(&self.path, flags).map_err(self.error(doing))?;
        connection.busy_timeout(BUSY_WITHIN).map_err(self.error(doing))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_update(None, "journal_mode", "wal").map_err(self.error(doing))?;
        connection.pragma_update(None, "synchronous", "full").map_err(self.error(doing))?;
        let journal = i64::try_from(JOURNAL_BYTES_MAX).unwrap_or(i64::MAX);
        connection.pragma_update(None, "journal_size_limit", journal).map_err(self.error(doing))?;
        Ok(connection)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Turns an error of SQLite into ours, naming the file and what was being done.
    pub fn error(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            _ => StoreError::Sqlite { doing, path, source: Box::new(source) },
        }
    }

    /// Something in the file that no `waf` wrote.
    pub fn corrupt(&self, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt { place: self.path.display().to_string(), what: what.into() }
    }
}

/// A file that nobody else may read, also where it was there with a wider mode.
fn private(path: &Path) -> Result<File, StoreError> {
    let error = |source| StoreError::File { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
    let file = options.open(path).map_err(error)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE)).map_err(error)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::store::Folder;

    #[test]
    fn a_copy_of_the_descriptor_in_a_child_does_not_keep_the_lock() {
        let folder = Folder::new("lock");
        let (_, lock) = Place::prepare(folder.path()).unwrap();
        assert!(matches!(Place::prepare(folder.path()), Err(StoreError::Locked { .. })));
        let _copy = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(Place::prepare(folder.path()).is_ok());
    }
}

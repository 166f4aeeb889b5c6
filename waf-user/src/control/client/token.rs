//! The file of a token -> the token, if nobody else can read it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::ClientError;
use crate::secret::Secret;

/// Bytes of the file: a token is a line of some fifty.
const FILE_BYTES_MAX: u64 = 4_096;

/// The one line of the file.
///
/// # Errors
/// The file cannot be read, can be read by everybody, or holds something else than a token.
pub fn read_token(path: &Path) -> Result<Secret<String>, ClientError> {
    let fail = |source| ClientError::TokenFile { path: path.to_owned(), source };
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    // A pipe (`<(pass show waf)`) is the caller's own.
    if metadata.is_file() && metadata.mode() & 0o004 != 0 {
        return Err(ClientError::TokenOpen { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(fail)?;
    let text = Secret::new(text);
    let token = text.expose().trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ClientError::Token { path: path.to_owned() });
    }
    Ok(Secret::new(token.to_owned()))
}

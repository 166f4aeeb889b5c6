//! Names of files in node.toml -> what they stand for: resolved paths, expanded patterns, the prefixes of a list file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use ipnet::IpNet;
use toml::Spanned;

use super::mistake::Mistakes;
use super::prefix::parse_prefix;

/// Bytes of one list file: a million prefixes of 16 bytes each; more is some other file.
const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Lines of one list file that are quoted: with more of them it is no list of prefixes.
const WRONG_LINES_MAX: usize = 5;

/// Prefixes, or files of prefixes, one a line, `#` begins a comment.
pub(super) fn read_lists(entries: &[Spanned<&str>], folder: &Path, mistakes: &Mistakes<'_>) -> Vec<IpNet> {
    let mut prefixes = Vec::new();
    for entry in entries {
        let text = *entry.get_ref();
        let reason = match parse_prefix(text) {
            Ok(prefix) => {
                prefixes.push(prefix);
                continue;
            }
            Err(reason) => reason,
        };
        let path = folder.join(text);
        match read_bounded(&path) {
            Ok(content) => read_list_file(&path, &content, entry, &mut prefixes, mistakes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                mistakes.add(
                    entry.span(),
                    format!("{text:?} is neither a prefix ({reason}) nor a file"),
                    "write a prefix such as \"192.0.2.0/24\", or the path of a file of prefixes",
                );
            }
            Err(error) => {
                mistakes.add(entry.span(), format!("cannot read {}: {error}", path.display()), "");
            }
        }
    }
    prefixes
}

/// The files that a pattern names, sorted. `*` and `?` stand for characters of one path component.
///
/// # Errors
/// A folder on the way cannot be read.
pub fn expand_pattern(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    let whole = folder.join(pattern);
    for component in whole.components() {
        let Component::Normal(name) = component else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        let text = name.to_string_lossy();
        if !text.contains(['*', '?']) {
            found.iter_mut().for_each(|path| path.push(name));
            continue;
        }
        let mut next = Vec::new();
        for path in &found {
            let here = if path.as_os_str().is_empty() { Path::new(".") } else { path.as_path() };
            next.extend(matching_names(here, &text)?.into_iter().map(|name| path.join(name)));
        }
        found = next;
    }
    found.retain(|path| path.is_file());
    found.sort();
    Ok(found)
}

fn matching_names(folder: &Path, pattern: &str) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string() {
            // As in a shell: a hidden file is meant only when its dot is written.
            if (!name.starts_with('.') || pattern.starts_with('.'))
                && matches(pattern.as_bytes(), name.as_bytes())
            {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// `*` any run, `?` one byte; remembers the last star only, so the cost is O(pattern · name).
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                n += 1;
            }
            Some(byte) if name.get(n) == Some(byte) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or(&[]).iter().all(|byte| *byte == b'*')
}

fn read_list_file(
    path: &Path,
    content: &str,
    entry: &Spanned<&str>,
    prefixes: &mut Vec<IpNet>,
    mistakes: &Mistakes<'_>,
) {
    let mut wrong = 0;
    for (index, line) in content.lines().enumerate() {
        let text = line.split('#').next().unwrap_or("").trim();
        if text.is_empty() {
            continue;
        }
        match parse_prefix(text) {
            Ok(prefix) => prefixes.push(prefix),
            Err(error) => {
                wrong += 1;
                if wrong <= WRONG_LINES_MAX {
                    let message = format!("{}:{}: {text:?}: {error}", path.display(), index + 1);
                    mistakes.add(entry.span(), message, "one prefix a line; # begins a comment");
                }
            }
        }
    }
    if wrong > WRONG_LINES_MAX {
        let message =
            format!("{}: {} more lines that are no prefix", path.display(), wrong - WRONG_LINES_MAX);
        mistakes.add(entry.span(), message, "");
    }
}

/// What the file's size says is not believed: a device has none.
fn read_bounded(path: &Path) -> io::Result<String> {
    let mut content = String::new();
    File::open(path)?.take(LIST_BYTES_MAX + 1).read_to_string(&mut content)?;
    if content.len() as u64 > LIST_BYTES_MAX {
        return Err(io::Error::other(format!("larger than {LIST_BYTES_MAX} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests;

//! An event id and a log file -> the event, by reading the file through. O(file): what a fleet searches lies in a store.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::EventId;
use super::limits::LINE_LEN_MAX;

/// The event of an id. Lines that are torn, too long or no JSON are passed over.
///
/// # Errors
/// The file cannot be read.
pub fn find(path: &Path, id: EventId) -> io::Result<Option<Value>> {
    let id = id.to_string();
    let beginning = format!("{{\"id\":\"{id}\"");
    let mut file = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while read_line(&mut file, &mut line)? {
        if !line.starts_with(beginning.as_bytes()) {
            continue;
        }
        let event: Option<Value> = serde_json::from_slice(&line).ok();
        if let Some(event) = event.filter(|event| event.get("id").and_then(Value::as_str) == Some(&id)) {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// The next line into `line`, at most `LINE_LEN_MAX` of it; the rest of a longer one is skipped. False at the end.
fn read_line(file: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let max = u64::try_from(LINE_LEN_MAX).unwrap_or(u64::MAX);
    if file.by_ref().take(max).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.len() >= LINE_LEN_MAX && !line.ends_with(b"\n") {
        file.skip_until(b'\n')?;
    }
    Ok(true)
}

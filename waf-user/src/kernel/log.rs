//! Reader of the kernel half's log: one line for each state that must not occur. aya-log's own reader wants the loaded
//! object or the right to look programs up by number; the node has map pins only, so its records are read here.

use std::os::fd::{AsRawFd, RawFd};

use aya::maps::{MapData, RingBuf};

/// How serious a line is, and which lines a load lets through: those of its level and the more serious ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    Off,
    Error,
    #[default]
    Warn,
    Info,
}

impl LogLevel {
    /// The byte of the object's global.
    pub(super) const fn byte(self) -> &'static [u8] {
        match self {
            Self::Off => &[0],
            Self::Error => &[1],
            Self::Warn => &[2],
            Self::Info => &[3],
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: LogLevel,
    pub text: String,
}

/// The ring. One reader at a time: a second one takes lines away from the first.
pub struct KernelLog {
    ring: RingBuf<MapData>,
}

impl KernelLog {
    pub(super) fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring }
    }

    /// The next line, or none for now. What cannot be read is skipped.
    pub fn take(&mut self) -> Option<LogLine> {
        loop {
            let item = self.ring.next()?;
            if let Some(line) = parse(&item) {
                return Some(line);
            }
        }
    }
}

impl AsRawFd for KernelLog {
    /// Readable when there are lines.
    fn as_raw_fd(&self) -> RawFd {
        self.ring.as_raw_fd()
    }
}

/// Numbers of aya-log-common 0.2: fields of a record's head, then kinds of arguments.
const HEAD_FIELDS: usize = 6;
const FIELD_LEVEL: u8 = 1;
const KIND_HINT: u8 = 0;
const KIND_UNSIGNED: std::ops::RangeInclusive<u8> = 6..=10;
const KIND_TEXT: u8 = 20;

/// A record: its length, six fields of the head, arguments; all but the length as kind, length, value.
fn parse(record: &[u8]) -> Option<LogLine> {
    let (length, _) = record.split_first_chunk::<2>()?;
    let mut rest = record.get(2..usize::from(u16::from_ne_bytes(*length)))?;
    let mut level = LogLevel::Info;
    for _ in 0..HEAD_FIELDS {
        let (kind, value) = field(&mut rest)?;
        if kind == FIELD_LEVEL {
            level = match value {
                [1] => LogLevel::Error,
                [2] => LogLevel::Warn,
                _ => LogLevel::Info,
            };
        }
    }
    let mut text = String::new();
    while !rest.is_empty() {
        match field(&mut rest)? {
            (KIND_TEXT, value) => text.push_str(&String::from_utf8_lossy(value)),
            (kind, value) if KIND_UNSIGNED.contains(&kind) => {
                text.push_str(&little_endian(value).to_string());
            }
            (KIND_HINT, _) => {}
            _ => text.push('?'),
        }
    }
    Some(LogLine { level, text })
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let ([kind, low, high], behind) = rest.split_first_chunk::<3>()?;
    let (value, behind) = behind.split_at_checked(usize::from(u16::from_ne_bytes([*low, *high])))?;
    *rest = behind;
    Some((*kind, value))
}

/// The object is built for little-endian machines (bpfel).
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests;

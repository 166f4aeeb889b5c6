//! Escapes, bracket classes and counted repetitions of PCRE: text -> sets of bytes and numbers.

use super::PatternError;
use super::parse::error;
use super::syntax::{Place, Set};

/// Bytes in which a count, a number or a name in braces ends, if it is one: reading stays linear however many open.
const BRACED: usize = 64;

/// What stands after a backslash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escape {
    Byte(u8),
    /// A character past 255, as UTF-8.
    Bytes(Vec<u8>),
    Set(Set),
    Place(Place),
    /// `\R`.
    Newline,
    Group(usize),
    /// So many groups back.
    Relative(usize),
    Named(Vec<u8>),
}

pub fn digits() -> Set {
    Set::range(b'0', b'9')
}

pub fn words() -> Set {
    Set::range(b'a', b'z').union(Set::range(b'A', b'Z')).union(digits()).union(Set::of(b'_'))
}

/// `\s`: the vertical tab is white since PCRE 8.34.
pub fn whites() -> Set {
    Set::of_all(*b"\t\n\x0b\x0c\r ")
}

/// `\v`.
pub fn vertical() -> Set {
    Set::of_all(*b"\n\x0b\x0c\r\x85")
}

/// After the backslash: what it means, and the bytes it takes. `groups` so far decide between `\11` as group and octal.
pub fn escape(rest: &[u8], groups: usize) -> Result<(Escape, usize), PatternError> {
    let first = *rest.first().ok_or_else(|| error("a backslash at the end"))?;
    let inside = matches!(first, b'b' | b'B' | b'A' | b'z' | b'Z' | b'G' | b'R' | b'g' | b'k' | b'1'..=b'9');
    if !inside {
        return shared(rest);
    }
    let escape = match first {
        b'b' => Escape::Place(Place::WordEdge),
        b'B' => Escape::Place(Place::NoWordEdge),
        b'A' | b'G' => Escape::Place(Place::Start),
        b'z' => Escape::Place(Place::End),
        b'Z' => Escape::Place(Place::LastLineEnd),
        b'R' => Escape::Newline,
        b'g' | b'k' => return reference(rest),
        _ => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = decimal(rest.get(..length).unwrap_or_default());
            if number < 10 || number <= groups {
                return Ok((Escape::Group(number), length));
            }
            return shared(rest);
        }
    };
    Ok((escape, 1))
}

/// `\g1 \g{1} \g{-1} \g{name} \k<name> \k{name} \k'name'`.
fn reference(rest: &[u8]) -> Result<(Escape, usize), PatternError> {
    let malformed = || error("a reference that names no group");
    let close = match rest.get(1).ok_or_else(malformed)? {
        b'{' => b'}',
        b'<' => b'>',
        b'\'' => b'\'',
        digit if digit.is_ascii_digit() => {
            return Ok((Escape::Group(usize::from(digit - b'0')), 2));
        }
        _ => return Err(malformed()),
    };
    let inner = rest.get(2..).unwrap_or_default();
    let length = inner.iter().position(|byte| *byte == close).ok_or_else(malformed)?;
    let name = inner.get(..length).unwrap_or_default();
    let number = name.strip_prefix(b"-").unwrap_or(name);
    let escape =
        match (number.iter().all(u8::is_ascii_digit) && !number.is_empty(), number.len() < name.len()) {
            (true, false) => Escape::Group(decimal(number)),
            (true, true) => Escape::Relative(decimal(number)),
            (false, _) => Escape::Named(name.to_vec()),
        };
    Ok((escape, length + 3))
}

fn decimal(digits: &[u8]) -> usize {
    digits.iter().fold(0, |sum: usize, digit| sum.saturating_mul(10).saturating_add(usize::from(digit & 15)))
}

/// Escapes that mean the same inside brackets and outside.
fn shared(rest: &[u8]) -> Result<(Escape, usize), PatternError> {
    let first = *rest.first().ok_or_else(|| error("a backslash at the end"))?;
    let escape = match first {
        b'd' => Escape::Set(digits()),
        b'D' => Escape::Set(digits().inverted()),
        b'w' => Escape::Set(words()),
        b'W' => Escape::Set(words().inverted()),
        b's' => Escape::Set(whites()),
        b'S' => Escape::Set(whites().inverted()),
        b'h' => Escape::Set(Set::of_all(*b"\t \xa0")),
        b'H' => Escape::Set(Set::of_all(*b"\t \xa0").inverted()),
        b'v' => Escape::Set(vertical()),
        b'V' => Escape::Set(vertical().inverted()),
        b'N' => Escape::Set(Set::of(b'\n').inverted()),
        b'a' => Escape::Byte(0x07),
        b'e' => Escape::Byte(0x1b),
        b'f' => Escape::Byte(0x0c),
        b'n' => Escape::Byte(b'\n'),
        b'r' => Escape::Byte(b'\r'),
        b't' => Escape::Byte(b'\t'),
        b'c' => {
            let letter = rest.get(1).ok_or_else(|| error("\\c at the end"))?;
            return Ok((Escape::Byte(letter.to_ascii_uppercase() ^ 64), 2));
        }
        b'x' => return hexadecimal(rest),
        b'0'..=b'7' => {
            let octal = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
            let (byte, length) =
                octal.fold((0_u8, 0), |(sum, length), digit| (sum << 3 | (digit & 7), length + 1));
            return Ok((Escape::Byte(byte), length));
        }
        b'p' | b'P' | b'X' | b'K' | b'C' | b'L' | b'u' | b'U' | b'l' => {
            return Err(error(format!("\\{} is not supported", char::from(first))));
        }
        other => Escape::Byte(other),
    };
    Ok((escape, 1))
}

/// `\x41 \x4 \x{41} \x`.
fn hexadecimal(rest: &[u8]) -> Result<(Escape, usize), PatternError> {
    let hex = |digits: &[u8]| {
        digits.iter().fold(0_u32, |sum, byte| sum << 4 | char::from(*byte).to_digit(16).unwrap_or(0))
    };
    if rest.get(1) == Some(&b'{')
        && let Some(close) = rest.iter().take(BRACED).position(|byte| *byte == b'}')
        && let Some(digits) = rest.get(2..close).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    {
        let number = hex(digits.get(digits.len().saturating_sub(6)..).unwrap_or_default());
        let escape = match (u8::try_from(number), char::from_u32(number)) {
            (Ok(byte), _) => Escape::Byte(byte),
            (Err(_), Some(character)) => {
                Escape::Bytes(character.encode_utf8(&mut [0; 4]).as_bytes().to_vec())
            }
            (Err(_), None) => return Err(error("a character past U+10FFFF")),
        };
        return Ok((escape, close + 1));
    }
    let length = rest.iter().skip(1).take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let number = hex(rest.get(1..=length).unwrap_or_default());
    Ok((Escape::Byte(u8::try_from(number).unwrap_or(0)), length + 1))
}

/// After `[`: the set, whether `^` inverts it, and the bytes it takes with the closing bracket.
pub fn bracket(rest: &[u8]) -> Result<((Set, bool), usize), PatternError> {
    let inverted = rest.first() == Some(&b'^');
    let mut at = usize::from(inverted);
    let start = at;
    let mut set = Set::default();
    loop {
        let byte = *rest.get(at).ok_or_else(|| error("unclosed character class"))?;
        if byte == b']' && at > start {
            return Ok(((set, inverted), at + 1));
        }
        let (low, length) = member(rest.get(at..).unwrap_or_default())?;
        at += length;
        let Member::Byte(low) = low else {
            let Member::Set(members) = low else { continue };
            set = set.union(members);
            continue;
        };
        let range = rest.get(at) == Some(&b'-') && rest.get(at + 1).is_some_and(|next| *next != b']');
        if range && let (Member::Byte(high), length) = member(rest.get(at + 1..).unwrap_or_default())? {
            if low > high {
                return Err(error("a range out of order in a character class"));
            }
            set = set.union(Set::range(low, high));
            at += 1 + length;
            continue;
        }
        set.add(low);
    }
}

enum Member {
    Byte(u8),
    Set(Set),
    Nothing,
}

fn member(rest: &[u8]) -> Result<(Member, usize), PatternError> {
    match rest {
        [b'[', b':', ..] => match named_class(rest) {
            Some((set, length)) => Ok((Member::Set(set), length)),
            None => Ok((Member::Byte(b'['), 1)),
        },
        [b'\\', b'Q' | b'E', ..] => Ok((Member::Nothing, 2)),
        [b'\\', b'b', ..] => Ok((Member::Byte(0x08), 2)),
        [b'\\', escaped @ ..] => {
            let (escape, length) = shared(escaped)?;
            let member = match escape {
                Escape::Byte(byte) => Member::Byte(byte),
                Escape::Bytes(bytes) => Member::Set(Set::of_all(bytes)),
                Escape::Set(set) => Member::Set(set),
                _ => Member::Nothing,
            };
            Ok((member, length + 1))
        }
        [byte, ..] => Ok((Member::Byte(*byte), 1)),
        [] => Err(error("unclosed character class")),
    }
}

/// `[:alpha:]`, `[:^alpha:]`.
fn named_class(rest: &[u8]) -> Option<(Set, usize)> {
    let close = memchr::memmem::find(rest.get(..rest.len().min(BRACED))?, b":]")?;
    let name = rest.get(2..close)?;
    let (name, inverted) = name.strip_prefix(b"^").map_or((name, false), |name| (name, true));
    let test: fn(&u8) -> bool = match name {
        b"alpha" => u8::is_ascii_alphabetic,
        b"digit" => u8::is_ascii_digit,
        b"alnum" => u8::is_ascii_alphanumeric,
        b"upper" => u8::is_ascii_uppercase,
        b"lower" => u8::is_ascii_lowercase,
        b"space" => |byte| whites().has(*byte),
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"punct" => u8::is_ascii_punctuation,
        b"cntrl" => u8::is_ascii_control,
        b"graph" => u8::is_ascii_graphic,
        b"print" => |byte| byte.is_ascii_graphic() || *byte == b' ',
        b"xdigit" => u8::is_ascii_hexdigit,
        b"word" => |byte| words().has(*byte),
        b"ascii" => u8::is_ascii,
        _ => return None,
    };
    let set = Set::of_all((0..=u8::MAX).filter(test));
    Some((if inverted { set.inverted() } else { set }, close + 2))
}

/// `{2} {2,} {2,3}`; None: a brace that is just a brace.
pub fn counted(rest: &[u8]) -> Result<Option<(u32, Option<u32>, usize)>, PatternError> {
    let Some(close) = rest.iter().take(BRACED).position(|byte| *byte == b'}') else { return Ok(None) };
    let inner = rest.get(1..close).and_then(|inner| std::str::from_utf8(inner).ok()).unwrap_or("");
    let (min, max) = inner.split_once(',').map_or((inner, None), |(min, max)| (min, Some(max)));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !number(min) || !max.is_none_or(|max| max.is_empty() || number(max)) {
        return Ok(None);
    }
    let too_big = |_| error("a repetition of more than 65535");
    let min = min.parse::<u16>().map_err(too_big)?;
    let max = match max {
        None => Some(min),
        Some("") => None,
        Some(max) => Some(max.parse::<u16>().map_err(too_big)?),
    };
    if max.is_some_and(|max| max < min) {
        return Err(error("a repetition that ends before it starts"));
    }
    Ok(Some((u32::from(min), max.map(u32::from), close + 1)))
}

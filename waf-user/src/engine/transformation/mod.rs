//! Transformations: a value -> the value a rule wants to see. One file a transformation; what changes nothing borrows
//! its input. Dispatch is static through one enum.

mod base64_decode;
mod cmd_line;
mod compress_whitespace;
mod css_decode;
mod hex_decode;
mod html_entity_decode;
mod js_decode;
mod length;
mod lowercase;
mod none;
mod normalize_path;
mod normalize_path_win;
mod remove_comments_char;
mod remove_nulls;
mod remove_whitespace;
mod replace_comments;
mod replace_nulls;
mod trim;
mod trim_left;
mod trim_right;
mod uppercase;
mod url_decode;
mod url_decode_uni;
mod utf8_to_unicode;

use std::borrow::Cow;

macro_rules! transformations {
    ($($variant:ident $name:literal $apply:path;)+) => {
        /// One transformation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Transformation {
            $(#[doc = concat!("`t:", $name, "`")] $variant,)+
        }

        impl Transformation {
            /// All transformations.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name as rules write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Hot: per value. Linear in the value; borrows where nothing changes.
            pub fn apply(self, value: &[u8]) -> Cow<'_, [u8]> {
                match self { $(Self::$variant => $apply(value),)+ }
            }
        }
    };
}

transformations! {
    Base64Decode "base64Decode" base64_decode::apply;
    CmdLine "cmdLine" cmd_line::apply;
    CompressWhitespace "compressWhitespace" compress_whitespace::apply;
    CssDecode "cssDecode" css_decode::apply;
    HexDecode "hexDecode" hex_decode::apply;
    HtmlEntityDecode "htmlEntityDecode" html_entity_decode::apply;
    JsDecode "jsDecode" js_decode::apply;
    Length "length" length::apply;
    Lowercase "lowercase" lowercase::apply;
    None "none" none::apply;
    NormalisePath "normalisePath" normalize_path::apply;
    NormalisePathWin "normalisePathWin" normalize_path_win::apply;
    NormalizePath "normalizePath" normalize_path::apply;
    NormalizePathWin "normalizePathWin" normalize_path_win::apply;
    RemoveCommentsChar "removeCommentsChar" remove_comments_char::apply;
    RemoveNulls "removeNulls" remove_nulls::apply;
    RemoveWhitespace "removeWhitespace" remove_whitespace::apply;
    ReplaceComments "replaceComments" replace_comments::apply;
    ReplaceNulls "replaceNulls" replace_nulls::apply;
    Trim "trim" trim::apply;
    TrimLeft "trimLeft" trim_left::apply;
    TrimRight "trimRight" trim_right::apply;
    Uppercase "uppercase" uppercase::apply;
    UrlDecode "urlDecode" url_decode::apply;
    UrlDecodeUni "urlDecodeUni" url_decode_uni::apply;
    Utf8toUnicode "utf8toUnicode" utf8_to_unicode::apply;
}

impl Transformation {
    /// Names are compared without case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|transformation| transformation.name().eq_ignore_ascii_case(name))
    }
}

/// The number that two hexadecimal digits stand for.
fn hex_byte(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    Some(hex_digit(*high?)? << 4 | hex_digit(*low?)?)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// White space as C's isspace in the C locale: with the vertical tab, which Rust's ASCII white space lacks.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The low byte of a Unicode code unit; full-width ASCII (U+FF01 to U+FF5E) becomes the ASCII it looks like.
fn low_byte(unit: u16) -> u8 {
    let [high, low] = unit.to_be_bytes();
    match high == 0xff && (0x01..=0x5e).contains(&low) {
        true => low + 0x20,
        false => low,
    }
}

#[cfg(test)]
mod tests;

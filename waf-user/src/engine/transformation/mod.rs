//! Transformations: a value -> the value a rule wants to see. One file a transformation; what changes nothing borrows
//! its input. Dispatch is static through one enum.

mod backslash;
mod base64_decode;
mod base64_decode_ext;
mod base64_encode;
mod cmd_line;
mod compress_whitespace;
mod css_decode;
mod escape_seq_decode;
mod hex_decode;
mod hex_encode;
mod html_entity_decode;
mod js_decode;
mod length;
mod lowercase;
mod md5;
mod none;
mod normalize_path;
mod normalize_path_win;
mod parity_even;
mod parity_odd;
mod parity_zero;
mod php_args_names;
mod remove_comments;
mod remove_comments_char;
mod remove_nulls;
mod remove_whitespace;
mod replace_comments;
mod replace_nulls;
mod sha1;
mod sql_hex_decode;
mod trim;
mod trim_left;
mod trim_right;
mod uppercase;
mod url_decode;
mod url_decode_uni;
mod url_encode;
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
    Base64DecodeExt "base64DecodeExt" base64_decode_ext::apply;
    Base64Encode "base64Encode" base64_encode::apply;
    CmdLine "cmdLine" cmd_line::apply;
    CompressWhitespace "compressWhitespace" compress_whitespace::apply;
    CssDecode "cssDecode" css_decode::apply;
    EscapeSeqDecode "escapeSeqDecode" escape_seq_decode::apply;
    HexDecode "hexDecode" hex_decode::apply;
    HexEncode "hexEncode" hex_encode::apply;
    HtmlEntityDecode "htmlEntityDecode" html_entity_decode::apply;
    JsDecode "jsDecode" js_decode::apply;
    Length "length" length::apply;
    Lowercase "lowercase" lowercase::apply;
    Md5 "md5" md5::apply;
    None "none" none::apply;
    NormalisePath "normalisePath" normalize_path::apply;
    NormalisePathWin "normalisePathWin" normalize_path_win::apply;
    NormalizePath "normalizePath" normalize_path::apply;
    NormalizePathWin "normalizePathWin" normalize_path_win::apply;
    ParityEven7bit "parityEven7bit" parity_even::apply;
    ParityOdd7bit "parityOdd7bit" parity_odd::apply;
    ParityZero7bit "parityZero7bit" parity_zero::apply;
    PhpArgsNames "phpArgsNames" php_args_names::apply;
    RemoveComments "removeComments" remove_comments::apply;
    RemoveCommentsChar "removeCommentsChar" remove_comments_char::apply;
    RemoveNulls "removeNulls" remove_nulls::apply;
    RemoveWhitespace "removeWhitespace" remove_whitespace::apply;
    ReplaceComments "replaceComments" replace_comments::apply;
    ReplaceNulls "replaceNulls" replace_nulls::apply;
    Sha1 "sha1" sha1::apply;
    SqlHexDecode "sqlHexDecode" sql_hex_decode::apply;
    Trim "trim" trim::apply;
    TrimLeft "trimLeft" trim_left::apply;
    TrimRight "trimRight" trim_right::apply;
    Uppercase "uppercase" uppercase::apply;
    UrlDecode "urlDecode" url_decode::apply;
    UrlDecodeUni "urlDecodeUni" url_decode_uni::apply;
    UrlEncode "urlEncode" url_encode::apply;
    Utf8toUnicode "utf8toUnicode" utf8_to_unicode::apply;
}

/// Bytes that any transformation may make of an empty value, and beyond its growth: a SHA-1 digest, a length in decimal.
#[cfg(any(test, fuzzing))]
pub const OUTPUT_BYTES: usize = 20;

impl Transformation {
    /// Bytes of output for each byte of input at most, beyond the 20 of a digest.
    pub fn growth(self) -> usize {
        match self {
            // `%7f`; `%u00e9` for two bytes.
            Self::UrlEncode | Self::Utf8toUnicode => 3,
            Self::HexEncode | Self::Base64Encode => 2,
            _ => 1,
        }
    }

    /// Names are compared without case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|transformation| transformation.name().eq_ignore_ascii_case(name))
    }
}

/// The number that two hexadecimal digits stand for.
fn hex_byte(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    Some(hex_digit(*high?)? << 4 | hex_digit(*low?)?)
}

/// Two lower-case hexadecimal digits.
fn hex_digits(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    [digit(byte >> 4), digit(byte & 15)]
}

/// A message in blocks of 64 bytes with the padding of MD5 and SHA-1: a one bit, zeros, the length in bits.
fn digest_blocks(value: &[u8], length_bits: [u8; 8], mix: &mut dyn FnMut(&[u8; 64])) {
    let mut padded = value.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend(length_bits);
    let (blocks, _) = padded.as_chunks::<64>();
    blocks.iter().for_each(mix);
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

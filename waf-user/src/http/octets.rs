//! The classes of bytes that HTTP's grammar is made of. Knows bytes only.

/// `tchar` of RFC 9110 §5.6.2, as a table: one look-up a byte.
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    loop {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Hot: per byte.
#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Hot: per byte. What a field value may hold: HTAB, SP, visible ASCII, obs-text (RFC 9110 §5.5).
#[inline]
pub(super) const fn is_field_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Hot: per byte. What a target may hold. Wider than RFC 3986: visitors' clients send `"<>|` and raw UTF-8, and the rules
/// are to see it; a fragment never travels.
#[inline]
pub(super) const fn is_target(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && byte != b'#'
}

/// Hot: per byte. Whether all bytes are of a class. Looks at all of them, whatever it finds: so many bytes at once.
#[inline]
pub(super) fn all(bytes: &[u8], is_in: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |so_far, byte| so_far & is_in(*byte))
}

/// Optional white space around a value (RFC 9110 §5.6.3).
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

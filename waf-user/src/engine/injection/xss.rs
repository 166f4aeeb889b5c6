//! Script injection: the value read as HTML in the contexts it may stand in.

/// Hot: per value.
pub fn is_xss(value: &[u8]) -> bool {
    libinjectionrs::detect_xss(value).is_injection()
}

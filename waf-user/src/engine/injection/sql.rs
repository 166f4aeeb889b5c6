//! SQL injection: the value read as SQL in the contexts it may stand in, folded to a fingerprint of token kinds that
//! either is a known one or not.

/// Hot: per value. The fingerprint of an injection (such as `s&1`); None: no injection.
pub fn fingerprint(value: &[u8]) -> Option<Vec<u8>> {
    let judged = libinjectionrs::detect_sqli(value);
    if !judged.is_injection() {
        return None;
    }
    let text = judged.fingerprint.map(|fingerprint| fingerprint.as_str().as_bytes().to_vec());
    Some(text.unwrap_or_default())
}

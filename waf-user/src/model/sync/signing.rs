//! A document's text -> its hash, and the bytes that the fleet's key signs: whose it is, which generation, which hash.
//! Both sides make them; neither a private nor a public key is kept here.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

/// Bytes of an Ed25519 signature.
pub const SIGNATURE_LEN: usize = 64;
/// Before everything else that is signed: a signature made for this means nothing elsewhere.
const PURPOSE: &str = "waf node document 1";

/// SHA-256, 64 hexadecimal digits.
pub fn hash_of(text: &str) -> String {
    digits(digest(&SHA256, text.as_bytes()).as_ref())
}

/// What is signed for a document. The parts are told apart by line ends, which none of them holds.
pub fn signed_bytes(node: &str, generation: u64, hash: &str) -> Vec<u8> {
    format!("{PURPOSE}\n{node}\n{generation}\n{hash}\n").into_bytes()
}

/// Whether the fleet's key signed a document. `fleet_key` and `signature` in hexadecimal digits.
pub fn is_signed(fleet_key: &str, node: &str, generation: u64, text: &str, signature: &str) -> bool {
    let (Some(key), Some(signature)) = (bytes(fleet_key), bytes(signature)) else { return false };
    let signed = signed_bytes(node, generation, &hash_of(text));
    UnparsedPublicKey::new(&ED25519, key).verify(&signed, &signature).is_ok()
}

/// Lower-case hexadecimal digits.
pub fn digits(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A string takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

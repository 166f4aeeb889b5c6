//! t:parityZero7bit: the eighth bit of each byte cleared.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@rx x" "id:1,phase:2,deny,t:parityZero7bit"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(value.iter().map(|byte| byte & 0x7f).collect())
}

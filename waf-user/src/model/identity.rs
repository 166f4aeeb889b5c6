//! Names and numbers of the things we run: tenant, node, carrier, generation. Text becomes a type here, once.

use std::fmt;

/// Characters a node or carrier name may have: both end up in paths and namespaces.
const NAME_LEN_MAX: usize = 32;

/// Why a name or number is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    #[error("name {0:?} is empty or longer than {NAME_LEN_MAX} characters")]
    Length(String),
    #[error("name {0:?} may hold only a-z, 0-9 and -, and must begin with a letter or digit")]
    Character(String),
    #[error("tenant id {0} is outside 1..2147483647")]
    Tenant(u64),
}

/// Number of an environment: the key in the kernel maps. 1..2^31, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(u32);

impl TenantId {
    /// # Errors
    /// 0 and numbers from 2^31 on: the first means "shared" in SERVICES, the others are address scopes.
    pub fn new(number: u64) -> Result<Self, IdentityError> {
        match u32::try_from(number) {
            Ok(id) if id != 0 && id < 1 << 31 => Ok(Self(id)),
            _ => Err(IdentityError::Tenant(number)),
        }
    }

    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// Empty, longer than 32 characters, or with other characters than a-z, 0-9 and `-`.
            pub fn new(text: &str) -> Result<Self, IdentityError> {
                if text.is_empty() || text.len() > NAME_LEN_MAX {
                    return Err(IdentityError::Length(text.to_owned()));
                }
                let ok = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if !ok || text.starts_with('-') {
                    return Err(IdentityError::Character(text.to_owned()));
                }
                Ok(Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type! {
    /// Name of a node: part of its pin path, unique on a machine.
    NodeName
}
name_type! {
    /// Name of an infrastructure provider, such as `carrier-a`.
    Carrier
}

/// A number that only grows with each configuration a node serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl Generation {
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;

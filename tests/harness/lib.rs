//! What the integration tests share: frames as bytes, a way onto the wire, a thread inside a namespace.

pub mod frames;
pub mod hand_made;
pub mod namespace;
pub mod wire;

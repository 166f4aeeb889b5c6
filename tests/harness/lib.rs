//! What the integration tests share: frames as bytes, a way onto the wire, a thread inside a namespace, visitors that keep
//! their connections, and how often chance is tried.

pub mod frames;
pub mod hand_made;
pub mod load;
pub mod namespace;
pub mod pace;
pub mod wire;

//! Checks that the tree keeps its own rules.

/// # Errors
/// A rule is broken.
pub fn run() -> anyhow::Result<()> {
    Ok(())
}

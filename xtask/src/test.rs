//! wip
/// # Errors
/// wip
pub fn run() -> anyhow::Result<()> {
    Ok(())
}

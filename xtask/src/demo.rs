//! wip
use crate::build::Built;
/// # Errors
/// wip
pub fn run(_: &Built, _: bool) -> anyhow::Result<()> {
    Ok(())
}

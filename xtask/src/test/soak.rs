//! placeholder
use crate::build::Built;
use anyhow::Result;
pub fn run(_: &Built) -> Result<()> {
    Ok(())
}

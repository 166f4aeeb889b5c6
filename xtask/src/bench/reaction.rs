//! placeholder
use super::Report;
use crate::build::Built;
use anyhow::Result;
pub fn run(_: &Built, _: &mut Report) -> Result<()> {
    Ok(())
}

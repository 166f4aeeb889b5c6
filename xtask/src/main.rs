//! Dispatches `cargo xtask` subcommands.
fn main() -> anyhow::Result<()> {
    xtask::tidy::run(std::path::Path::new("."))
}

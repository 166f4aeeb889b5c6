//! How often a test repeats what it does by chance: as often as it says on a real machine, less in an emulated one.

/// Set where the processor is emulated: everything takes some thirty times as long, and the tables matter most.
const EMULATED: &str = "WAF_EMULATED";
const SHARE: u32 = 50;

/// So many of `whole` repetitions.
pub fn count(whole: u32) -> u32 {
    if std::env::var_os(EMULATED).is_some() { whole / SHARE } else { whole }
}

//! What `cargo xtask test --kernels` needs beside everything else: an emulator, and a shell for the machine in it.

use anyhow::Result;

use super::apt;
use crate::process;
use crate::say;

/// Program, Debian package, and what it is for. None of these starts anything.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("qemu-system-x86_64", "qemu-system-x86", "boots the kernels"),
    ("busybox", "busybox-static", "is the shell of the machine in it"),
    ("cpio", "cpio", "packs that machine's files"),
    ("xz", "xz-utils", "unpacks kernel modules"),
];

/// Installs what is missing; says nothing where nothing is.
///
/// # Errors
/// apt cannot install it here.
pub fn run() -> Result<()> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, ..)| process::find(program).is_none()).collect();
    for (program, package, why) in &missing {
        say!("setup: installing {package} (program {program}): {why}");
    }
    let packages: Vec<&str> = missing.iter().map(|(_, package, _)| *package).collect();
    if packages.is_empty() { Ok(()) } else { apt::install(&packages) }
}

//! One boot under qemu: no disk, no network, a serial line into a file. Ends when the machine powers off, or its time is
//! over.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::package::Kernel;
use crate::{interrupt, process};

/// Ten times what it takes on two quiet cores.
const WITHIN: Duration = Duration::from_secs(900);

/// A machine that is up. Gone on drop.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        // It has ended already, unless its time is over or we are to stop.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Boots and waits for the end; what the machine said is in `log`.
///
/// # Errors
/// qemu cannot be started or complains, or the time is over.
pub fn boot(kernel: &Kernel, image: &Path, log: &Path) -> Result<()> {
    let mut qemu = process::command("qemu-system-x86_64");
    // By name: where there is a /dev/kvm that cannot boot these, qemu would take it. Without cmpxchg16b: qemu 7.2 leaves
    // garbage in the flags after it, and a 6.12 dies of that within seconds.
    qemu.args(["-accel", "tcg,thread=multi", "-cpu", "max,cx16=off", "-smp", "2", "-m", "1024"]);
    qemu.args(["-nodefaults", "-display", "none", "-no-reboot", "-kernel"]).arg(&kernel.image);
    qemu.arg("-initrd").arg(image);
    qemu.args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"]);
    qemu.arg("-serial").arg(format!("file:{}", log.display()));
    let child = qemu.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("start qemu")?;
    let mut machine = Machine(child);
    let what = format!("kernel {} to power off; it said {}", kernel.release, log.display());
    let status = interrupt::until(&what, WITHIN, || Ok(machine.0.try_wait()?))?;
    ensure!(status.success(), "qemu {}", process::ending(status));
    Ok(())
}

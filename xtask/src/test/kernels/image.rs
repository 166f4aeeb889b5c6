//! Everything a machine needs that has no disk: a shell, this machine's programs with their libraries, a driver, the
//! tested binaries, and a first program that runs the tests and powers off. One cpio archive.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::build::Built;
use crate::process;

/// What the machine says before and after the tests.
pub const BEGIN: &str = "BEGIN OF TESTS";
pub const END: &str = "END OF TESTS";

/// What of busybox has a name of its own.
const SHELL: [&str; 9] = ["sh", "mount", "insmod", "uname", "cat", "cp", "mkdir", "sleep", "env"];
/// Programs of this machine that the tests call: busybox's are not enough for them.
const PROGRAMS: [&str; 3] = ["ip", "ethtool", "nsenter"];
const FOLDERS: [&str; 11] =
    ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var", "tested", "usr"];
/// Whom tests look up.
const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";
const GROUPS: &str = "root:x:0:\nnogroup:x:65534:\n";

/// What is tested, and by which tests.
pub struct Tested<'a> {
    pub binary: &'a Path,
    pub built: &'a Built,
    pub tests: &'a [&'a str],
}

/// Makes the archive.
///
/// # Errors
/// A file cannot be read or written, or a program is missing.
pub fn make(archive: &Path, module: &Path, tested: &Tested<'_>) -> Result<()> {
    let root = archive.with_extension("files");
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("remove {}", root.display()))?;
    }
    for folder in FOLDERS {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    }
    for folder in ["usr/bin", "usr/sbin", "sbin"] {
        link("/bin", &root.join(folder))?;
    }
    let folder = root.join("tested");
    strip(tested.binary, &folder.join("it"))?;
    strip(&tested.built.waf, &folder.join("waf"))?;
    copy(&tested.built.object, &folder.join("waf.bpf.o"))?;
    copy(&program("busybox")?, &root.join("bin/busybox"))?;
    for name in SHELL {
        link("busybox", &root.join("bin").join(name))?;
    }
    for name in PROGRAMS {
        copy(&program(name)?, &root.join("bin").join(name))?;
    }
    add_libraries(&root)?;
    add_driver(module, &root)?;
    for (name, text) in [("etc/passwd", USERS), ("etc/group", GROUPS), ("init", &first(tested.tests))] {
        let file = root.join(name);
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    }
    fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755))
        .context("make init a program")?;
    pack(&root, archive)?;
    fs::remove_dir_all(&root).with_context(|| format!("remove {}", root.display()))
}

/// The first program: its end is the end of the machine.
fn first(tests: &[&str]) -> String {
    let tests = tests.join(" ");
    format!(
        "#!/bin/sh\n\
         export PATH=/bin\n\
         mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev\n\
         mount -t tmpfs tmp /tmp; mount -t tmpfs run /run; mount -t bpf bpf /sys/fs/bpf\n\
         insmod /veth.ko\n\
         ip link set lo up\n\
         cd /tested\n\
         export WAF_BIN=/tested/waf WAF_OBJECT=/tested/waf.bpf.o WAF_EMULATED=1\n\
         echo {BEGIN}\n\
         ./it --test-threads=1 --show-output {tests} 2>&1\n\
         echo {END}\n\
         echo o >/proc/sysrq-trigger\n\
         sleep 60\n"
    )
}

fn add_libraries(root: &Path) -> Result<()> {
    for folder in ["bin", "tested"] {
        let folder = root.join(folder);
        for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?.flatten() {
            // What is no program, or a static one, has none.
            let Ok(output) = process::capture(Command::new("ldd").arg(entry.path())) else { continue };
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            for library in text.split_whitespace().filter(|word| word.starts_with('/')) {
                let to = root.join(library.trim_start_matches('/').trim_end_matches(':'));
                if !to.exists() {
                    copy(Path::new(library.trim_end_matches(':')), &to)?;
                }
            }
        }
    }
    Ok(())
}

fn add_driver(module: &Path, root: &Path) -> Result<()> {
    let to = root.join("veth.ko");
    if module.extension().is_none_or(|ending| ending != "xz") {
        return copy(module, &to);
    }
    let file = File::create(&to).with_context(|| format!("write {}", to.display()))?;
    let status = process::command("xz").arg("-dc").arg(module).stdout(file).status().context("start xz")?;
    ensure!(status.success(), "xz -dc {} {}", module.display(), process::ending(status));
    Ok(())
}

/// The debug information of a test binary is ten times the rest.
fn strip(from: &Path, to: &Path) -> Result<()> {
    process::run(process::command("strip").arg("-o").arg(to).arg(from))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    fs::copy(from, to).map(drop).with_context(|| format!("copy {} to {}", from.display(), to.display()))
}

fn link(to: &str, at: &Path) -> Result<()> {
    symlink(to, at).with_context(|| format!("make {}", at.display()))
}

fn program(name: &str) -> Result<PathBuf> {
    process::find(name).with_context(|| format!("no program {name}"))
}

/// Everything in it is root's, whoever packs it.
fn pack(root: &Path, archive: &Path) -> Result<()> {
    let names = process::output(Command::new("find").arg(".").current_dir(root))?;
    let list = archive.with_extension("list");
    fs::write(&list, names).with_context(|| format!("write {}", list.display()))?;
    let mut cpio = process::command("cpio");
    cpio.args(["--create", "--format=newc", "--owner=0:0", "--quiet"]).current_dir(root);
    cpio.stdin(File::open(&list).with_context(|| format!("open {}", list.display()))?);
    cpio.stdout(File::create(archive).with_context(|| format!("write {}", archive.display()))?);
    let status = cpio.stderr(Stdio::inherit()).status().context("start cpio")?;
    ensure!(status.success(), "cpio {}", process::ending(status));
    fs::remove_file(&list).with_context(|| format!("remove {}", list.display()))
}

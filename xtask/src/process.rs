//! Turns a `Command` into its output, or into an error that names the command line and repeats what it complained
//! of. Knows nothing of what the commands are for.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Where administrators' programs lie, which an ordinary user's PATH leaves out on Debian.
const SYSTEM_DIRS: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Runs to the end with both streams caught.
///
/// # Errors
/// The program cannot be started or exits non-zero; the message holds its standard error.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = capture(command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said =
        String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    bail!("{} {}: {}", line(command), ending(output.status), said.trim())
}

/// The same, as text without its last line break.
///
/// # Errors
/// As [`output`].
pub fn text(command: &mut Command) -> Result<String> {
    let bytes = output(command)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// Runs to the end for its effect alone.
///
/// # Errors
/// As [`output`].
pub fn run(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs to the end with the streams of the caller, for what a person shall read as it comes.
///
/// # Errors
/// The program cannot be started or exits non-zero.
pub fn show(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start {}", line(command)))?;
    if !status.success() {
        bail!("{} {}", line(command), ending(status));
    }
    Ok(())
}

/// Runs to the end with both streams caught, whatever it exits with.
///
/// # Errors
/// The program cannot be started.
pub fn capture(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("start {}", line(command)))
}

/// The command line as one would type it, for messages.
pub fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// How a program ended, in words.
pub fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// The program of that name in PATH or in the system's own folders.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(SYSTEM_DIRS.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| is_program(file))
}

/// A command for `program`, looked up as [`find`] does, so that `ip` and `bpftool` are found without sbin in PATH.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let name = program.as_ref();
    let found = name.to_str().filter(|name| !name.contains('/')).and_then(find);
    match found {
        Some(path) => Command::new(path),
        None => Command::new(name),
    }
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

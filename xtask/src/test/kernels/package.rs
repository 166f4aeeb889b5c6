//! A kernel of Debian, fetched by apt with a configuration of its own, so that the machine's is not touched: unpacked
//! below target/, never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// The cloud flavour: the smallest that has everything.
const METAPACKAGE: &str = "linux-image-cloud-amd64";
/// What Debian signs its suites with, those of the future and of the past too.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The driver of the tests' cables, without its ending.
const MODULE: &str = "veth.ko";

/// A suite of Debian, and what its kernel is called here.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    pub name: &'static str,
    pub archive: Archive,
    pub series: &'static str,
}

/// Which of the mirror's archives has the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    Main,
    Security,
}

/// An unpacked kernel.
#[derive(Debug)]
pub struct Kernel {
    /// As `uname -r` will say.
    pub release: String,
    pub image: PathBuf,
    /// `veth.ko`, maybe compressed.
    pub module: PathBuf,
}

/// The newest kernel of a suite; what was fetched before is not fetched again.
///
/// # Errors
/// No Debian mirror among apt's sources, or it does not have the suite.
pub fn fetch(suite: &Suite, folder: &Path) -> Result<Kernel> {
    let apt = Apt::new(suite, folder)?;
    let release = apt.release()?;
    let unpacked = folder.join(&release);
    if let Ok(kernel) = Kernel::in_folder(&unpacked, &release) {
        return Ok(kernel);
    }
    let packages = folder.join("packages");
    fs::create_dir_all(&packages).with_context(|| format!("make {}", packages.display()))?;
    for package in apt.packages(&release)? {
        let file = apt.download(&package, &packages)?;
        process::run(Command::new("dpkg").arg("-x").arg(&file).arg(&unpacked))?;
        fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
    }
    Kernel::in_folder(&unpacked, &release)
}

impl Kernel {
    fn in_folder(folder: &Path, release: &str) -> Result<Self> {
        let image = find(folder, &|name| name.starts_with("vmlinuz"));
        let module = find(folder, &|name| name.starts_with(MODULE));
        match (image, module) {
            (Some(image), Some(module)) => Ok(Self { release: release.to_owned(), image, module }),
            _ => bail!("no vmlinuz or no {MODULE} in {}", folder.display()),
        }
    }
}

/// apt with one source and its own lists.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn new(suite: &Suite, folder: &Path) -> Result<Self> {
        let own = folder.join("apt");
        let lists = own.join("lists");
        for folder in [lists.join("partial"), own.join("cache/archives/partial")] {
            fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        }
        let list = own.join("sources.list");
        let line = format!("deb [signed-by={KEYRING}] {} {} main\n", mirror(suite.archive)?, suite.name);
        fs::write(&list, line).with_context(|| format!("write {}", list.display()))?;
        let cache = own.join("cache");
        let option = |name: &str, value: &dyn std::fmt::Display| format!("{name}={value}");
        let apt = Self {
            options: vec![
                option("Dir::Etc::SourceList", &list.display()),
                option("Dir::Etc::SourceParts", &"/dev/null"),
                option("Dir::State::Lists", &lists.display()),
                option("Dir::Cache", &cache.display()),
                option("Acquire::Languages", &"none"),
                // As root apt would fetch as a user who may not write below target/.
                option("APT::Sandbox::User", &"root"),
            ],
        };
        process::run(apt.command("apt-get").args(["update", "--quiet", "--error-on=any"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = process::command(program);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    /// Of the kernel that the metapackage stands for.
    fn release(&self) -> Result<String> {
        let depends = self.depends(METAPACKAGE)?;
        let release = depends.iter().find_map(|package| package.strip_prefix("linux-image-"));
        release.map(str::to_owned).with_context(|| format!("{METAPACKAGE} stands for no kernel"))
    }

    /// What holds the kernel's files: one package, or from 7.x on those that it depends on.
    fn packages(&self, release: &str) -> Result<Vec<String>> {
        let image = format!("linux-image-{release}");
        let parts = [format!("linux-binary-{release}"), format!("linux-modules-{release}")];
        let found: Vec<String> =
            self.depends(&image)?.into_iter().filter(|package| parts.contains(package)).collect();
        Ok(if found.is_empty() { vec![image] } else { found })
    }

    fn depends(&self, package: &str) -> Result<Vec<String>> {
        let text = process::text(self.command("apt-cache").args(["depends", package]))?;
        let depends = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(depends.map(str::to_owned).collect())
    }

    fn download(&self, package: &str, folder: &Path) -> Result<PathBuf> {
        process::run(self.command("apt-get").args(["download", "--quiet", package]).current_dir(folder))?;
        let prefix = format!("{package}_");
        find(folder, &|name| name.starts_with(&prefix)).with_context(|| format!("apt left no {package}"))
    }
}

/// The machine's own mirror of Debian, as its sources name it now.
fn mirror(archive: Archive) -> Result<String> {
    let targets = process::text(process::command("apt-get").args([
        "indextargets",
        "--format",
        "$(ORIGIN) $(RELEASE) $(REPO_URI)",
    ]))?;
    let found = targets.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (origin, release, uri) = (words.next()?, words.next()?, words.next()?);
        let is_security = release.ends_with("-security");
        (origin == "Debian" && is_security == (archive == Archive::Security)).then(|| uri.to_owned())
    });
    found.with_context(|| format!("no mirror of Debian ({archive:?}) among apt's sources"))
}

/// The first file of that name below a folder.
fn find(folder: &Path, is_it: &dyn Fn(&str) -> bool) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) if is_it(&entry.file_name().to_string_lossy()) => return Some(entry.path()),
                _ => {}
            }
        }
    }
    None
}

//! Apache with mod_security2, which the rules engine's meaning follows: the machine's own, or one unpacked below
//! target/tools so that no service starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::apt;
use crate::say;
use crate::{process, workspace};

/// Packages with the server and the module.
const PACKAGES: [&str; 2] = ["apache2-bin", "libapache2-mod-security2"];
/// Libraries they may want, and their packages. Installing these starts nothing.
const LIBRARIES: [(&str, &str); 8] = [
    ("libapr-1.so", "libapr1"),
    ("libaprutil-1.so", "libaprutil1"),
    ("libyajl.so", "libyajl2"),
    ("liblua5.1.so", "liblua5.1-0"),
    ("libxml2.so", "libxml2"),
    ("libfuzzy.so", "libfuzzy2"),
    ("libpcre2-8.so", "libpcre2-8-0"),
    ("libcurl-gnutls.so", "libcurl3-gnutls"),
];

/// A server that runs by hand.
#[derive(Clone, Debug)]
pub struct Apache {
    pub program: PathBuf,
    /// ServerRoot: `modules/` lies below it.
    pub root: PathBuf,
    /// The settings that the module's package recommends.
    pub recommended: PathBuf,
}

/// The machine's own or the unpacked one; unpacked now where there is none.
///
/// # Errors
/// apt has none, or a library is missing that we do not know the package of.
pub fn ready() -> Result<Apache> {
    if let Some(apache) = find() {
        return Ok(apache);
    }
    say!("setup: unpacking {} into target/tools; no service is started", PACKAGES.join(" and "));
    for package in PACKAGES {
        apt::unpack(package, &folder())?;
    }
    let missing: Vec<String> = missing(&at(&folder()));
    let known = LIBRARIES.iter().filter(|(library, _)| missing.iter().any(|line| line.contains(library)));
    let packages: Vec<&str> = known.map(|(_, package)| *package).collect();
    if !packages.is_empty() {
        say!("setup: installing {}: libraries of Apache", packages.join(" "));
        apt::install(&packages)?;
    }
    match find() {
        Some(apache) => Ok(apache),
        None => bail!("the unpacked Apache does not run here: {}", missing.join("; ")),
    }
}

fn find() -> Option<Apache> {
    [at(&folder()), at(Path::new("/"))].into_iter().find(|apache| {
        let files = [&apache.program, &module(apache), &apache.recommended];
        files.iter().all(|file| file.is_file()) && missing(apache).is_empty()
    })
}

fn at(folder: &Path) -> Apache {
    Apache {
        program: folder.join("usr/sbin/apache2"),
        root: folder.join("usr/lib/apache2"),
        recommended: folder.join("etc/modsecurity/modsecurity.conf-recommended"),
    }
}

fn module(apache: &Apache) -> PathBuf {
    apache.root.join("modules/mod_security2.so")
}

/// Libraries that server or module do not find.
fn missing(apache: &Apache) -> Vec<String> {
    let wanted = [apache.program.clone(), module(apache)];
    let wanted = wanted.iter().filter_map(|file| process::text(Command::new("ldd").arg(file)).ok());
    let lines: Vec<String> =
        wanted.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.into_iter().filter(|line| line.contains("not found")).collect()
}

fn folder() -> PathBuf {
    workspace::tools().join("apache")
}

//! Certificates of the lab by the openssl program: an authority of the run's own, and one certificate a site.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// Longer than any run, shorter than anybody could mistake them for real ones.
const DAYS: &str = "7";

/// The authority, whose certificate clients trust.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    pub certificate: PathBuf,
    key: PathBuf,
}

/// Chain and key of one site, PEM.
#[derive(Clone, Debug)]
pub struct SiteFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Makes it in `folder`.
    ///
    /// # Errors
    /// What openssl complains of.
    pub fn new(folder: &Path) -> Result<Self> {
        let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        let mut openssl = process::command("openssl");
        openssl.args(["req", "-x509", "-subj", "/CN=waf lab authority", "-days", DAYS]);
        new_key(&mut openssl, &key);
        process::run(openssl.arg("-out").arg(&certificate))
            .context("make the lab's certificate authority")?;
        Ok(Self { folder: folder.to_owned(), certificate, key })
    }

    /// A certificate for one name.
    ///
    /// # Errors
    /// What openssl complains of.
    pub fn site(&self, fqdn: &str) -> Result<SiteFiles> {
        let file = |ending: &str| self.folder.join(format!("{fqdn}.{ending}"));
        let files = SiteFiles { certificate: file("pem"), key: file("key") };
        let (request, extensions) = (file("csr"), file("ext"));
        let text = format!(
            "subjectAltName=DNS:{fqdn}\nbasicConstraints=critical,CA:FALSE\n\
             keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        );
        fs::write(&extensions, text).with_context(|| format!("write {}", extensions.display()))?;

        let mut openssl = process::command("openssl");
        openssl.args(["req", "-new", "-subj", &format!("/CN={fqdn}")]);
        new_key(&mut openssl, &files.key);
        process::run(openssl.arg("-out").arg(&request)).with_context(|| format!("make the key of {fqdn}"))?;

        let mut openssl = process::command("openssl");
        openssl.args(["x509", "-req", "-days", DAYS, "-CAcreateserial"]);
        openssl.arg("-in").arg(&request).arg("-CA").arg(&self.certificate).arg("-CAkey").arg(&self.key);
        openssl.arg("-extfile").arg(&extensions).arg("-out").arg(&files.certificate);
        process::run(&mut openssl).with_context(|| format!("sign the certificate of {fqdn}"))?;
        Ok(files)
    }
}

fn new_key(openssl: &mut Command, key: &Path) {
    openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]).arg(key);
}

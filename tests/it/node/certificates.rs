//! A renewed certificate: new connections see it, those that are open go on.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, ensure};
use xtask::lab::settings::WWW;
use xtask::lab::{Carrier, Lab, LabOptions, Request, Scheme};
use xtask::process;

use super::reload::hang_up_and_wait;
use super::status;
use crate::stage;

const CONNECTIONS: usize = 3;
/// What the openssl program may take altogether.
const WITHIN_S: &str = "60";

#[test]
fn a_renewed_certificate_meets_new_connections_and_ends_none() {
    stage::with_lab(LabOptions::default(), |lab| {
        let mut kept = (0..CONNECTIONS).map(|_| Kept::open(lab)).collect::<Result<Vec<_>>>()?;
        let reloads: [fn(&Lab) -> Result<()>; 2] =
            [hang_up_and_wait, |lab| lab.node(Carrier::A).waf_text(&["node-ctl", "reload"]).map(drop)];
        let mut served = served(lab)?;
        for (number, reload) in reloads.into_iter().enumerate() {
            let files = lab.renew_certificate(WWW)?;
            ensure!(self::served(lab)? == served, "{number}: the old one is served until the reload");
            reload(lab)?;
            let renewed = self::served(lab)?;
            ensure!(renewed != served, "{number}: the old certificate is served after the reload");
            let file = fs::read_to_string(&files.certificate)?;
            ensure!(file.contains(&renewed), "{number}: what is served is not what the file says");
            for (at, connection) in kept.iter_mut().enumerate() {
                connection.ask().with_context(|| format!("{number}: connection {at} of before"))?;
            }
            let visit = Request::get(Scheme::Https, WWW, Carrier::A.service(10), "/");
            ensure!(lab.client().answer(&visit)?.status == 200, "{number}: a new visitor is refused");
            served = renewed;
        }
        a_key_of_another_is_refused(lab, &served)?;
        kept.iter_mut().try_for_each(Kept::ask)
    });
}

/// The node keeps the pair that it has, and says why.
fn a_key_of_another_is_refused(lab: &Lab, served: &str) -> Result<()> {
    let files = lab.renew_certificate(WWW)?;
    let key = fs::read(&files.key)?;
    let certificate = fs::read(&files.certificate)?;
    lab.renew_certificate(WWW)?;
    fs::write(&files.key, &key)?;
    let before = status(lab)?;
    let output = lab.node(Carrier::A).waf(&["node-ctl", "reload"])?;
    ensure!(!output.status.success(), "a certificate with the key of another was taken");
    ensure!(status(lab)? == before, "the node has changed");
    ensure!(self::served(lab)? == served, "another certificate is served");
    fs::write(&files.certificate, certificate)?;
    lab.node(Carrier::A).waf_text(&["node-ctl", "reload"])?;
    ensure!(self::served(lab)? != served, "the right pair is not taken");
    Ok(())
}

/// The first certificate that a new connection sees, PEM.
fn served(lab: &Lab) -> Result<String> {
    let text = process::text(client(lab).stdin(Stdio::null()))?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").context("no certificate is shown")?;
    let (pem, _) = rest.split_once("-----END CERTIFICATE-----").context("half a certificate is shown")?;
    Ok(pem.trim().to_owned())
}

/// A TLS client that fails where the authority of the lab has not signed.
fn client(lab: &Lab) -> std::process::Command {
    let mut command = lab.client_namespace().command("timeout");
    command.args([WITHIN_S, "openssl", "s_client", "-connect"]);
    command.arg(format!("{}:443", Carrier::A.service(10))).args(["-servername", WWW, "-verify_return_error"]);
    command.arg("-CAfile").arg(lab.client().authority());
    command
}

/// One TLS connection that stays open.
struct Kept {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Kept {
    /// It has been answered once.
    fn open(lab: &Lab) -> Result<Self> {
        let mut command = client(lab);
        command.arg("-quiet").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("start openssl")?;
        let requests = child.stdin.take().context("its input")?;
        let answers = BufReader::new(child.stdout.take().context("its output")?);
        let mut kept = Self { child, requests, answers };
        kept.ask()?;
        Ok(kept)
    }

    fn ask(&mut self) -> Result<()> {
        write!(self.requests, "GET / HTTP/1.1\r\nHost: {WWW}\r\n\r\n")?;
        self.requests.flush()?;
        let mut length = 0;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(line.starts_with("HTTP/1.1 200 "), "answered {line:?}");
        while line.trim_end() != "" {
            line.clear();
            self.answers.read_line(&mut line)?;
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        Ok(self.answers.read_exact(&mut body)?)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Its connection may have been closed: then it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

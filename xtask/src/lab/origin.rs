//! The customers' server: a real nginx in the origin's namespace. Every path answers any method with who was asked
//! for; `/big` is a large file, `/slow` the same at a trickle.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::User;

use super::daemon::Daemon;
use super::netns::Namespace;
use super::run::{Run, make_folder};
use crate::{process, setup};

/// Its port on both cables.
pub const PORT: u16 = 8080;
/// Size of `/big`: more than every buffer on the way.
pub const BIG_BYTES: usize = 8 << 20;
/// Begins every ordinary answer, so that a client knows whose it is.
pub const GREETING: &str = "origin of";
/// A start takes some milliseconds; a busy machine more.
const READY: Duration = Duration::from_secs(10);

/// The running origin.
#[derive(Debug)]
pub struct Origin {
    daemon: Daemon,
    log: PathBuf,
}

impl Origin {
    /// Starts it as `user` and waits until it answers.
    ///
    /// # Errors
    /// No nginx here, or it does not start; the message holds its log.
    pub fn start(run: &Run, namespace: &Namespace, user: &User, addresses: &[IpAddr]) -> Result<Self> {
        let Some(nginx) = setup::nginx() else {
            bail!("no nginx: cargo xtask setup unpacks one");
        };
        let nginx = run.copy(&nginx, "nginx")?;
        let folder = run.folder().join("origin");
        make_folder(&folder, 0o755)?;
        std::os::unix::fs::chown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .with_context(|| format!("give {} to {}", folder.display(), user.name))?;
        fs::write(folder.join("big"), vec![b'x'; BIG_BYTES]).context("write the origin's big file")?;
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(&folder)).context("write the origin's configuration")?;

        let mut command = namespace.command_as(user, nginx);
        command.arg("-p").arg(&folder).arg("-c").arg(&file).args(["-e", "stderr"]);
        let mut daemon = Daemon::start(run, "origin", command)?;
        daemon.wait_until(READY, || {
            let answered = addresses.iter().all(|address| {
                let url = format!("http://{address}:{PORT}/");
                let mut curl = namespace.command("curl");
                process::run(curl.args(["-q", "-sS", "--noproxy", "*", "--max-time", "2", &url])).is_ok()
            });
            Ok(answered)
        })?;
        Ok(Self { daemon, log: folder.join("access.log") })
    }

    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Lines of its access log: what really arrived.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn arrived(&self) -> Result<Vec<String>> {
        let text = fs::read_to_string(&self.log).with_context(|| format!("read {}", self.log.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

/// One process, in the foreground, with every file below the run folder.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    log_format arrived escape=json '$http_host "$request" $status request_id=$http_x_request_id '
                                   'forwarded_for="$http_x_forwarded_for" proto=$http_x_forwarded_proto';
    access_log {folder}/access.log arrived;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 64m;
    keepalive_timeout 60s;
    keepalive_requests 100000;
    default_type text/plain;
    server {{
        listen {PORT};
        location / {{ return 200 "{GREETING} $host: $request_method $request_uri\n"; }}
        location = /big {{ alias {folder}/big; }}
        location = /slow {{ alias {folder}/big; limit_rate 64k; }}
        location = /health {{ access_log off; return 204; }}
    }}
}}
"#
    )
}

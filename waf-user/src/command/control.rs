//! `waf control`: the control plane in the foreground.

use std::path::PathBuf;

use clap::Args;
use waf_user::control::serve;
use waf_user::control::settings::ControlSettings;

use super::Outcome;

/// Serve the control plane until SIGTERM or SIGINT: the API for people and programs, and the nodes.
///
/// At its first start it makes in its data directory what it needs: the store, the key file that seals the secrets in it,
/// authority.pem (what clients and nodes trust) and operator.token (the first token).
#[derive(Args)]
#[command(
    after_help = "Example of a control.toml:\n  data_dir = \"/var/lib/waf-control\"\n  zone = \"edge.example\"\n  \
    [api]\n  listen = \"0.0.0.0:8443\"\n  names = [\"control.example\"]\n  [sync]\n  listen = \"0.0.0.0:8444\"\n\n\
    Examples:\n  waf control --config /etc/waf/control.toml --check\n  waf control --config /etc/waf/control.toml\n\n\
    Signals: SIGTERM and SIGINT finish what is under way (at most 10 s) and stop, SIGHUP reads the API's certificate anew.\n\
    RUST_LOG sets what is logged to stderr (default: info).\n\
    Exit codes: 0 stopped or checked, 1 failed, 2 wrong usage."
)]
pub struct Control {
    /// The control.toml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Say what is wrong in control.toml, and serve nothing
    #[arg(long)]
    check: bool,
}

impl Control {
    pub fn run(self) -> Outcome {
        let settings = ControlSettings::load(&self.config)?;
        if self.check {
            println!("ok: zone {}, API on {}", settings.zone, settings.api.listen);
            return Ok(());
        }
        super::log_to_stderr();
        Ok(serve::run(settings)?)
    }
}

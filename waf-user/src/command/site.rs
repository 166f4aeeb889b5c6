//! `waf site`: sheets become plans, plans become environments; and what is served now.

mod usage;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use waf_user::control::api::words::{EnvironmentView, Environments, NoticeText, SiteView, Sites, WishNew};

use super::Outcome;
use super::at_control::{AtControl, is_operator, segment};
use super::planned::{self, Manner, Shown};
use super::show;

/// Plan, apply and look at the sites of a control plane.
///
/// A site is told by its hearing sheet. Every change is planned first and shown with its reasons; nothing is changed before
/// it is agreed to.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  export WAF_CONTROL=https://127.0.0.1:8443 WAF_CA_FILE=ca.pem WAF_TOKEN_FILE=token\n  \
    waf site plan www.example.toml --customer example\n  waf site apply www.example.toml --customer example\n  \
    waf site show www.example\n\n\
    Exit codes: 0 done, 1 failed, refused or not agreed to, 2 wrong usage."
)]
pub struct Site {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show what sheets would change, and change nothing
    #[command(after_help = "Example:\n  waf site plan www.example.toml shop.example.toml --customer example")]
    Plan(Plan),
    /// Show what sheets would change, ask, and change it
    #[command(after_help = "Example:\n  waf site apply www.example.toml --customer example --yes")]
    Apply(Apply),
    /// List all sites that the token may see
    #[command(after_help = "Example:\n  waf site list --json")]
    List(List),
    /// Show one site: its name and addresses, and to operators where it is served
    #[command(after_help = "Example:\n  waf site show www.example --notice ja")]
    Show(Show),
    /// Show what sites use, beside what is reserved for them and what their contracts say
    #[command(after_help = "Example:\n  waf site usage --excess")]
    Usage(usage::Usage),
    /// Give sites another environment, though they could stay (operators)
    #[command(after_help = "Example:\n  waf site move www.example")]
    Move(Named),
    /// Serve sites again from the environment of before the last move
    #[command(after_help = "Example:\n  waf site rollback www.example")]
    Rollback(Named),
    /// Close the environment of before the last move (operators)
    #[command(after_help = "Example:\n  waf site close www.example")]
    Close(Named),
    /// Serve sites no longer
    #[command(after_help = "Example:\n  waf site remove www.example")]
    Remove(Named),
}

#[derive(Args)]
struct Sheets {
    /// Hearing sheets, TOML or JSON
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Whose sites they are; with a customer's token they are that customer's
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
}

#[derive(Args)]
struct Plan {
    #[command(flatten)]
    sheets: Sheets,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Apply {
    #[command(flatten)]
    sheets: Sheets,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Show {
    /// The site's name
    fqdn: String,
    /// Print the completion notice as the customer gets it: en or ja
    #[arg(long, value_name = "LANGUAGE", value_parser = ["en", "ja"])]
    notice: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Named {
    /// The sites' names
    #[arg(value_name = "FQDN", required = true)]
    fqdns: Vec<String>,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    at: AtControl,
}

impl Site {
    pub fn run(self) -> Outcome {
        match self.action {
            Action::Plan(Plan { sheets, shown, at }) => {
                let wishes = planned::wishes(&sheets.files, sheets.customer.as_deref())?;
                planned::plan(&mut at.client()?, &sheets.files, wishes, &shown)
            }
            Action::Apply(Apply { sheets, manner, at }) => {
                let wishes = planned::wishes(&sheets.files, sheets.customer.as_deref())?;
                planned::apply(&mut at.client()?, &sheets.files, wishes, &manner)
            }
            Action::List(list) => list.run(),
            Action::Show(show) => show.run(),
            Action::Usage(usage) => usage.run(),
            Action::Move(named) => named.run(|fqdn| WishNew::Move { fqdn }),
            Action::Rollback(named) => named.run(|fqdn| WishNew::RollBack { fqdn }),
            Action::Close(named) => named.run(|fqdn| WishNew::Close { fqdn }),
            Action::Remove(named) => named.run(|fqdn| WishNew::Remove { fqdn }),
        }
    }
}

impl Named {
    fn run(self, wish: impl Fn(String) -> WishNew) -> Outcome {
        planned::apply(&mut self.at.client()?, &[], self.fqdns.into_iter().map(wish).collect(), &self.manner)
    }
}

impl List {
    fn run(self) -> Outcome {
        let sites: Sites = self.at.client()?.get("/v1/sites")?;
        if self.json {
            return show::json(&sites);
        }
        let rows: Vec<_> = sites.sites.into_iter().map(row).collect();
        show::table(["SITE", "CUSTOMER", "CNAME", "ADDRESSES", "MODE", "TLS UNTIL", "MOVE"], &rows)
    }
}

fn row(site: SiteView) -> [String; 7] {
    let tls = match (site.certificate, site.certificate_ends) {
        (None, _) => "no TLS".to_owned(),
        (Some(_), ends) => ends.unwrap_or_default(),
    };
    let under_way = if site.old.is_some() { "under way" } else { "" };
    let addresses = joined(&site.addresses);
    [site.fqdn, site.customer, site.cname, addresses, site.mode, tls, under_way.to_owned()]
}

impl Show {
    fn run(self) -> Outcome {
        let mut client = self.at.client()?;
        let path = format!("/v1/sites/{}", segment(&self.fqdn));
        if let Some(language) = self.notice {
            let notice: NoticeText = client.get(&format!("{path}/notice?language={language}"))?;
            return if self.json { show::json(&notice) } else { show::print(&show::lines(&notice.text)) };
        }
        let site: SiteView = client.get(&path)?;
        let environments = match is_operator(&mut client)? {
            true => Some(client.get::<Environments>(&format!("{path}/environments"))?),
            false => None,
        };
        if self.json {
            let environments = environments.map(|all| all.environments);
            return show::json(&serde_json::json!({"site": site, "environments": environments}));
        }
        show::print(&describe(&site))?;
        match environments {
            Some(all) => show_environments(&all.environments),
            None => Ok(()),
        }
    }
}

fn describe(site: &SiteView) -> String {
    let peak = site.peak;
    let mut fields = vec![
        ("site", site.fqdn.clone()),
        ("customer", site.customer.clone()),
        ("CNAME", site.cname.clone()),
        ("addresses", joined(&site.addresses)),
        ("reach the origin from", joined(&site.sources)),
        ("origins", joined(&site.origins)),
        (
            "peak",
            format!(
                "{} requests/s, {} Mbit/s, {} TLS handshakes/s",
                peak.requests_s, peak.mbit_s, peak.handshakes_s
            ),
        ),
        ("mode", site.mode.clone()),
    ];
    fields.extend(site.paranoia.map(|level| ("paranoia", level.to_string())));
    fields.extend(site.certificate.clone().map(|print| ("certificate", print)));
    fields.extend(site.certificate_ends.clone().map(|ends| ("certificate ends", ends)));
    if let Some(old) = &site.old {
        fields.push(("old CNAME", old.cname.clone()));
        fields.push(("old addresses", joined(&old.addresses)));
    }
    fields.into_iter().map(|(name, value)| show::lines(&format!("{name:<22} {value}"))).collect()
}

fn show_environments(environments: &[EnvironmentView]) -> Outcome {
    let rows: Vec<_> = environments
        .iter()
        .flat_map(|environment| environment.placements.iter().map(move |placement| (environment, placement)))
        .map(|(environment, placement)| {
            let standing = if environment.current { "current" } else { "old" };
            let ipv6 = placement.ipv6.clone().unwrap_or_default();
            let reserved = placement.reserved.requests_s.to_string();
            let number = environment.tenant.to_string();
            let (carrier, node, ipv4) = (&placement.carrier, &placement.node, &placement.ipv4);
            [number, standing.to_owned(), carrier.clone(), node.clone(), ipv4.clone(), ipv6, reserved]
        })
        .collect();
    show::print("\n")?;
    show::table(["ENVIRONMENT", "", "CARRIER", "NODE", "IPV4", "IPV6", "REQUESTS/S RESERVED"], &rows)
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

//! Bans of the fleet or of one site, as the control plane keeps them.

use std::error::Error;

use clap::Args;
use http::Method;
use waf_user::control::api::words::{BanView, Bans, BansChanged, BansLift, BansNew, NewBan, NewLift};
use waf_user::control::client::{Client, ControlUrl};

use crate::command::Outcome;
use crate::command::at_control::{Access, segment};
use crate::command::show;

/// Bans asked for at once: as many as the API gives.
const PAGE_LEN: usize = 10_000;

/// Which control plane, and which of its bans.
#[derive(Args)]
pub(super) struct Fleet {
    /// Where waf control listens (https://HOST:PORT): the bans of the fleet
    #[arg(long, value_name = "URL")]
    control: Option<ControlUrl>,
    /// With --control: the bans of this site; none: of the whole fleet
    #[arg(long, value_name = "FQDN", conflicts_with = "config")]
    site: Option<String>,
    #[command(flatten)]
    access: Access,
}

impl Fleet {
    fn client(&self) -> Result<Client, Box<dyn Error>> {
        let control = self.control.as_ref().ok_or("neither --config nor --control")?;
        self.access.client(control)
    }

    pub(super) fn list(self, json: bool) -> Outcome {
        let mut client = self.client()?;
        let mut all: Vec<BanView> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut path = format!("/v1/bans?limit={PAGE_LEN}");
            for (name, value) in [("site", &self.site), ("after", &after)] {
                path.extend(value.as_ref().map(|value| format!("&{name}={}", segment(value))));
            }
            let page: Bans = client.get(&path)?;
            all.extend(page.bans);
            match page.next {
                Some(next) if Some(&next) != after.as_ref() => after = Some(next),
                _ => break,
            }
        }
        if json {
            return show::json(&all);
        }
        if all.is_empty() {
            return show::print("no bans\n");
        }
        let rows: Vec<_> = all.into_iter().map(row).collect();
        show::table(["PREFIX", "FOR", "BY", "ENDS", "REASON"], &rows)
    }

    pub(super) fn add(self, prefix: String, ttl_s: Option<u32>, json: bool) -> Outcome {
        let mut client = self.client()?;
        let done = format!("banned: {prefix} for {}", self.whom());
        let ban = NewBan { prefix, seconds: ttl_s.map(u64::from), reason: String::new() };
        let question = BansNew { site: self.site, import: false, bans: vec![ban] };
        let changed: BansChanged = client.send(Method::POST, "/v1/bans", &question)?;
        tell(changed, &done, "it was banned so already", json)
    }

    pub(super) fn remove(self, prefix: String, json: bool) -> Outcome {
        let mut client = self.client()?;
        let done = format!("lifted: {prefix} for {}", self.whom());
        let none = format!("no ban of {prefix} for {}", self.whom());
        let question = BansLift { site: self.site, bans: vec![NewLift { prefix }] };
        let changed: BansChanged = client.send(Method::POST, "/v1/bans/lift", &question)?;
        tell(changed, &done, &none, json)
    }

    fn whom(&self) -> &str {
        self.site.as_deref().unwrap_or("the fleet")
    }
}

fn tell(changed: BansChanged, done: &str, none: &str, json: bool) -> Outcome {
    match json {
        true => show::json(&changed),
        false => show::print(&show::lines(if changed.changed == 0 { none } else { done })),
    }
}

fn row(ban: BanView) -> [String; 5] {
    let whom = ban.site.unwrap_or_else(|| "fleet".to_owned());
    [ban.prefix, whom, ban.origin, ban.expires.unwrap_or_else(|| "never".to_owned()), ban.reason]
}

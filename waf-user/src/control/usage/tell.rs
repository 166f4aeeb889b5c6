//! Tells the operator's log when a site begins to be steadily above its contract, and when it is no longer.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{SiteUsage, UsageBook};
use crate::control::capacity::Thousands;
use crate::control::ledger::Ledger;
use crate::model::{Fqdn, Mono};

const EVERY: Duration = Duration::from_secs(60);

/// Looks once a minute, for ever.
pub async fn tell(ledger: &Ledger, book: &UsageBook) -> Infallible {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut standing = Standing::default();
    loop {
        ticks.tick().await;
        let sites = book.report(&ledger.view().state, Mono::now());
        let (begun, ended) = standing.look(&sites);
        for site in begun {
            for excess in &site.excess {
                tracing::warn!(
                    site = %site.fqdn,
                    customer = %site.customer,
                    measure = %excess.measure,
                    mean = %excess.mean,
                    contract = %Thousands(excess.contract),
                    minutes = excess.minutes,
                    "steadily above its contract"
                );
            }
        }
        for fqdn in ended {
            tracing::info!(site = %fqdn, "not steadily above its contract any more");
        }
    }
}

/// Who was above the contract when it was looked the last time.
#[derive(Debug, Default)]
pub(super) struct Standing(BTreeSet<Fqdn>);

impl Standing {
    /// Sites for which it began, and those for which it ended.
    pub fn look<'a>(&mut self, sites: &'a [SiteUsage]) -> (Vec<&'a SiteUsage>, Vec<Fqdn>) {
        let above: Vec<&SiteUsage> = sites.iter().filter(|site| !site.excess.is_empty()).collect();
        let names: BTreeSet<Fqdn> = above.iter().map(|site| site.fqdn.clone()).collect();
        let begun = above.into_iter().filter(|site| !self.0.contains(&site.fqdn)).collect();
        let ended = self.0.difference(&names).cloned().collect();
        self.0 = names;
        (begun, ended)
    }
}

//! `waf site usage`: what sites use, beside what is reserved for them and what their contracts say.

use clap::Args;
use waf_user::control::api::words::{
    ExcessView, MeasureView, PeakView, RatesView, SiteUsageView, Sites, UsageView, Usages, UsedView,
};
use waf_user::control::capacity::Thousands;
use waf_user::control::client::Client;
use waf_user::control::usage::Milli;

use super::super::Outcome;
use super::super::at_control::{AtControl, is_operator, segment};
use super::super::show;

#[derive(Args)]
pub struct Usage {
    /// Sites' names; none: all that the token may see
    #[arg(value_name = "FQDN")]
    fqdns: Vec<String>,
    /// Only sites that are steadily above their contracts: in at least 12 of the last 15 minutes
    #[arg(long)]
    excess: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

impl Usage {
    pub fn run(self) -> Outcome {
        let mut client = self.at.client()?;
        if is_operator(&mut client)? {
            return self.run_operator(&mut client);
        }
        let fqdns = if self.fqdns.is_empty() {
            let sites: Sites = client.get("/v1/sites")?;
            sites.sites.into_iter().map(|site| site.fqdn).collect()
        } else {
            self.fqdns
        };
        let mut usages = Vec::with_capacity(fqdns.len());
        for fqdn in fqdns {
            let usage: SiteUsageView = client.get(&format!("/v1/sites/{}/usage", segment(&fqdn)))?;
            if !self.excess || !usage.excess.is_empty() {
                usages.push(usage);
            }
        }
        if self.json {
            return show::json(&usages);
        }
        let rows: Vec<_> = usages.iter().map(row).collect();
        show::print("used now / contract, a second\n")?;
        show::table(["SITE", "REQUESTS", "MBIT", "TLS HANDSHAKES", "REFUSED", "STEADILY ABOVE"], &rows)
    }

    fn run_operator(self, client: &mut Client) -> Outcome {
        let path = if self.excess { "/v1/usage?excess=true" } else { "/v1/usage" };
        let mut usages: Usages = client.get(path)?;
        if !self.fqdns.is_empty() {
            // A name that there is not is told of by the API itself, and others may be written in another way.
            let mut named = Vec::with_capacity(self.fqdns.len());
            for fqdn in &self.fqdns {
                let there: SiteUsageView = client.get(&format!("/v1/sites/{}/usage", segment(fqdn)))?;
                named.push(there.fqdn);
            }
            usages.sites.retain(|usage| named.contains(&usage.site.fqdn));
        }
        if self.json {
            return show::json(&usages);
        }
        let rows: Vec<_> = usages.sites.iter().map(operator_row).collect();
        show::print("used now / reserved at each carrier / contract, a second\n")?;
        let heading = ["SITE", "CUSTOMER", "REQUESTS", "MBIT", "TLS HANDSHAKES", "REFUSED", "STEADILY ABOVE"];
        show::table(heading, &rows)?;
        if self.fqdns.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = usages.sites.iter().flat_map(placements).collect();
        show::print("\nused now / reserved at the node, a second\n")?;
        let heading =
            ["SITE", "ENVIRONMENT", "CARRIER", "NODE", "REQUESTS", "MBIT", "TLS HANDSHAKES", "REFUSED"];
        show::table(heading, &rows)
    }
}

fn row(usage: &SiteUsageView) -> [String; 6] {
    let (used, contract) = (usage.used, usage.contract);
    [
        usage.fqdn.clone(),
        against(used.requests_s, &[contract.requests_s]),
        against(used.mbit_s, &[contract.mbit_s]),
        against(used.handshakes_s, &[contract.handshakes_s]),
        rate(used.limited_s),
        above(&usage.excess),
    ]
}

fn operator_row(usage: &UsageView) -> [String; 7] {
    let (UsedView { requests_s, mbit_s, handshakes_s, limited_s }, reserved) =
        (usage.site.used, usage.reserved);
    let contract: PeakView = usage.site.contract;
    [
        usage.site.fqdn.clone(),
        usage.customer.clone(),
        against(requests_s, &[reserved.requests_s, contract.requests_s]),
        against(mbit_s, &[reserved.mbit_s, contract.mbit_s]),
        against(handshakes_s, &[reserved.handshakes_s, contract.handshakes_s]),
        rate(limited_s),
        above(&usage.site.excess),
    ]
}

fn placements(usage: &UsageView) -> impl Iterator<Item = [String; 8]> + '_ {
    usage.placements.iter().map(|it| {
        let RatesView { requests_s, mbit_s, handshakes_s } = it.reserved;
        let used = |used, reserved| match it.heard {
            true => against(used, &[reserved]),
            false => format!("not heard / {}", Thousands(reserved)),
        };
        [
            usage.site.fqdn.clone(),
            it.tenant.to_string(),
            it.carrier.clone(),
            it.node.clone(),
            used(it.used.requests_s, requests_s),
            used(it.used.mbit_s, mbit_s),
            used(it.used.handshakes_s, handshakes_s),
            rate(it.used.limited_s),
        ]
    })
}

fn against(used: f64, agreed: &[u64]) -> String {
    agreed.iter().fold(rate(used), |text, rate| format!("{text} / {}", Thousands(*rate)))
}

fn rate(a_second: f64) -> String {
    // A float that is no rate becomes the nearest whole number there is.
    Milli((a_second * 1_000.0).round() as u64).to_string()
}

fn above(excess: &[ExcessView]) -> String {
    let told = excess.iter().map(|it| {
        let measure = match it.measure {
            MeasureView::Requests => "requests",
            MeasureView::Bandwidth => "Mbit",
            MeasureView::Handshakes => "TLS handshakes",
        };
        format!("{measure}: mean {} of {}", rate(it.mean_s), Thousands(it.contract_s))
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_show_figures_side_by_side() {
        let used = UsedView { requests_s: 1_234.4, mbit_s: 0.25, handshakes_s: 0.0, limited_s: 12.0 };
        let excess =
            ExcessView { measure: MeasureView::Requests, minutes: 14, mean_s: 1_200.0, contract_s: 1_000 };
        let site = SiteUsageView {
            fqdn: "www.example".into(),
            contract: PeakView { requests_s: 1_000, mbit_s: 50, handshakes_s: 0 },
            used,
            mean: used,
            excess: vec![excess],
        };
        let above = "requests: mean 1,200 of 1,000";
        assert_eq!(row(&site), ["www.example", "1,234 / 1,000", "0.3 / 50", "0.0 / 0", "12.0", above]);
        let reserved = RatesView { requests_s: 1_001, mbit_s: 51, handshakes_s: 1 };
        let usage = UsageView { customer: "c".into(), site, reserved, placements: Vec::new() };
        assert_eq!(operator_row(&usage)[2], "1,234 / 1,001 / 1,000");
    }
}

//! Seeded simulation of the control plane: a month of a small fleet always, a year of a large one on demand
//! (`WAF_SIM=year cargo test -p waf-tests --release --test sim -- --nocapture`). Knows no store and no network.

mod random;
mod world;
mod year;

use year::{Report, Setting, run};

fn print(report: &Report) {
    println!("{report:#?}");
}

#[test]
fn a_month_of_a_thousand_environments_breaks_no_promise_and_repeats_itself() {
    let setting = Setting { seed: 1, sites: 1_000, nodes: 24, days: 30 };
    let (report, state) = run(&setting);
    print(&report);
    let (again, state_again) = run(&setting);
    assert_eq!(report, again);
    assert_eq!(state, state_again);
    assert!(report.carriers_lost > 0 && report.moves_by_nodes > 0);
}

#[test]
fn a_year_of_ten_thousand_environments_breaks_no_promise() {
    if std::env::var("WAF_SIM").as_deref() != Ok("year") {
        println!("skipped: WAF_SIM=year is not set");
        return;
    }
    let (report, _) = run(&Setting { seed: 2026, sites: 10_000, nodes: 200, days: 365 });
    print(&report);
    assert!(report.carriers_lost >= 8);
}

//! What sites use: figures for their customers, and with nodes for operators.

use serde_json::{Value, json};

use super::{NODES, Plane};
use crate::model::sync::{Status, TenantUsage};
use crate::model::{Fqdn, Mono};

const SITE: &str = "www.acme.jp";
const MINUTE_NS: u64 = 60_000_000_000;

/// Both nodes of the site tell of this in the minute after `at`.
fn tell(plane: &Plane, requests_s: u64, limited_s: u64, at: Mono) {
    let view = plane.ledger.view();
    let site = &view.state.sites()[&Fqdn::new(SITE).unwrap()];
    let environment = view.state.environment(site.current).unwrap();
    let usage = TenantUsage {
        tenant: environment.tenant.number(),
        requests: requests_s * 60,
        limited: limited_s * 60,
        bytes: 7_500_000,
        handshakes: 0,
    };
    for placement in &environment.placements {
        let status = Status { interval_ms: 60_000, usage: vec![usage], ..Status::default() };
        plane.fleet.usage().told(&placement.node, &status, at);
    }
}

/// The machine has been up for an hour.
pub fn now() -> Mono {
    Mono(60 * MINUTE_NS)
}

/// 150 requests a second for a quarter of an hour, where 100 were agreed; 40 of them refused.
fn tell_of_excess(plane: &Plane) {
    for minutes in (0..17).rev() {
        tell(plane, 55, 20, Mono(now().0 - minutes * MINUTE_NS));
    }
}

#[tokio::test]
async fn a_customer_sees_its_own_figures_and_no_node() {
    let plane = Plane::new("api-usage").await;
    let path = format!("/v1/sites/{SITE}/usage");
    let quiet = plane.get(&plane.acme, &path).await.ok();
    assert_eq!(quiet["contract"]["requests_s"], 100);
    assert_eq!((&quiet["used"]["requests_s"], &quiet["excess"]), (&json!(0.0), &json!([])));
    tell_of_excess(&plane);
    let answer = plane.get(&plane.acme, &path).await;
    assert!(NODES.iter().all(|node| !answer.text.contains(node)), "{}", answer.text);
    let seen = answer.ok();
    assert_eq!(
        seen["used"],
        json!({"requests_s": 150.0, "mbit_s": 2.0, "handshakes_s": 0.0, "limited_s": 40.0})
    );
    let excess = seen["excess"].as_array().unwrap();
    let of = |measure: &str| excess.iter().find(|it| it["measure"] == measure).unwrap();
    assert_eq!((&of("requests")["contract_s"], &of("requests")["minutes"]), (&json!(100), &json!(15)));
    assert_eq!(of("bandwidth")["contract_s"], 1, "two megabits where one was agreed");
    let keys: Vec<&String> = seen.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["contract", "excess", "fqdn", "mean", "used"], "nothing else is told");
    plane.get(&plane.globex, &path).await.refused(404, "there is no site");
    plane.get(&plane.acme, "/v1/usage").await.refused(403, "operators only");
}

#[tokio::test]
async fn an_operator_sees_all_sites_with_nodes_or_those_in_excess() {
    let plane = Plane::new("api-usages").await;
    let names = |answer: &Value| -> Vec<String> {
        let sites = answer["sites"].as_array().unwrap();
        sites.iter().map(|site| site["fqdn"].as_str().unwrap().to_owned()).collect()
    };
    let all = plane.get(&plane.operator, "/v1/usage").await.ok();
    assert_eq!(names(&all), [SITE, "www.globex.jp"]);
    assert_eq!(names(&plane.get(&plane.operator, "/v1/usage?excess=true").await.ok()), [""; 0]);
    tell_of_excess(&plane);
    let above = plane.get(&plane.operator, "/v1/usage?excess=true").await.ok();
    assert_eq!(names(&above), [SITE]);
    let site = &above["sites"][0];
    assert_eq!((&site["customer"], &site["reserved"]["requests_s"]), (&json!("acme"), &json!(100)));
    let placements = site["placements"].as_array().unwrap();
    assert_eq!(placements.len(), 2);
    for placement in placements {
        assert!(NODES.contains(&placement["node"].as_str().unwrap()));
        assert_eq!((&placement["used"]["requests_s"], &placement["heard"]), (&json!(75.0), &json!(true)));
    }
    plane.get(&plane.operator, "/v1/usage?exces=true").await.refused(400, "exces");
}

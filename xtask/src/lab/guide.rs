//! What a person can type while the lab is up.

use super::settings::{ONE, SHADOW, SHOP, WWW};
use super::topology::ATTACKER;
use super::{Carrier, Lab, USER, group_name};

/// Commands to try, with this run's names in them.
pub fn text(lab: &Lab) -> String {
    let client = lab.client_namespace().path();
    let client = client.display();
    let node = lab.node(Carrier::A);
    let carrier = node.namespace().path();
    let carrier = carrier.display();
    let folder = lab.run().folder().display();
    let (waf, config) = (format!("{folder}/waf"), node.config().display());
    let (a, b) = (Carrier::A.service(10), Carrier::B.service(10));
    let pins = node.pins().map_or_else(|_| "…".to_owned(), |pins| pins.display().to_string());
    let attacker = Carrier::A.client(ATTACKER);
    let group = group_name(USER);
    format!(
        "lab: run {id} is up: {WWW} and {SHOP} with addresses of their own, {ONE} and {SHADOW} (detect) on one\n\
         lab: files in {folder}; nodes run as {USER}, keys belong to group {group}\n\n\
         As root, for example:\n\
         \x20 a clean request by carrier A, then by carrier B\n\
         \x20   nsenter --net={client} curl --resolve {WWW}:80:{a} http://{WWW}/\n\
         \x20   nsenter --net={client} curl --resolve {WWW}:443:{b} --cacert {folder}/tls/ca.pem https://{WWW}/\n\
         \x20 an attack; the block page shows an event id\n\
         \x20   nsenter --net={client} curl --interface {attacker} --resolve {WWW}:80:{a} 'http://{WWW}/?q=1%20UNION%20SELECT%20password'\n\
         \x20   {waf} event ID --config {config}\n\
         \x20 bans and the kernel's view\n\
         \x20   {waf} ban add {attacker}/32 --scope node --ttl-s 60 --config {config}\n\
         \x20   {waf} ban list --config {config}\n\
         \x20   bpftool map dump pinned {pins}/maps/COUNTERS\n\
         \x20   nsenter --net={carrier} curl http://{admin}/metrics\n\
         \x20   tail -f {state}/requests.jsonl\n\n\
         Ctrl-C takes everything away.",
        id = lab.run().id(),
        admin = super::ADMIN,
        state = node.state().display(),
    )
}

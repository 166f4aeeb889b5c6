//! What a person can type while the lab is up.

use anyhow::Result;

use super::fleet::Fleet;
use super::settings::{ONE, SHADOW, SHOP, WWW};
use super::topology::ATTACKER;
use super::{Carrier, USER, group_name};

/// Commands to try, with this run's names in them.
///
/// # Errors
/// The fleet does not serve the usual sites.
pub fn text(fleet: &Fleet) -> Result<String> {
    let lab = fleet.lab();
    let client = lab.client_namespace().path();
    let client = client.display();
    let node = lab.serving(WWW, Carrier::A)?;
    let namespace = node.namespace().path();
    let namespace = namespace.display();
    let folder = lab.run().folder().display();
    let (waf, config) = (format!("{folder}/waf"), node.config().display());
    let (a, b) = (lab.place(WWW, Carrier::A)?.v4, lab.place(WWW, Carrier::B)?.v4);
    let pins = node.pins().map_or_else(|_| "…".to_owned(), |pins| pins.display().to_string());
    let attacker = Carrier::A.client(ATTACKER);
    let group = group_name(USER);
    let control = fleet.control().namespace().path();
    let (control, operator) = (control.display(), fleet.control().words(fleet.control().person()));
    Ok(format!(
        "lab: run {id} is up: {WWW} and {SHOP} with addresses of their own, {ONE} and {SHADOW} on one; three nodes a carrier\n\
         lab: files in {folder}; nodes and control plane run as {USER} (group {group})\n\n\
         As root, for example:\n\
         \x20 the control plane\n\
         \x20   w() {{ nsenter --net={control} {waf} \"$@\" {operator}; }}\n\
         \x20   w fleet list; w site list; w site show {WWW}; w ban list; w audit\n\
         \x20   w site plan {folder}/control/{WWW}.toml --customer example\n\
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
         \x20   nsenter --net={namespace} curl http://{admin}/metrics\n\
         \x20   tail -f {state}/requests.jsonl\n\n\
         Ctrl-C takes everything away.",
        id = lab.run().id(),
        admin = super::ADMIN,
        state = node.state().display(),
    ))
}

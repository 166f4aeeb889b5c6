//! Two readings of node.toml -> what differs between them that a running node cannot take over: what is bound, pinned,
//! opened or loaded once. Changing it is a restart's or a take-over's matter.

use super::services::ServicePlan;
use crate::config::NodeSettings;

/// Settings that were changed and are refused, each with what it takes instead.
pub fn changed(old: &NodeSettings, new: &NodeSettings) -> Vec<String> {
    const RESTART: &str = "needs a restart";
    const TAKE_OVER: &str = "needs a restart or `waf node --take-over`";
    const LOAD: &str = "needs `waf kernel unload` and `waf kernel load`";
    let table = [
        ("[node] name", old.name != new.name, RESTART),
        ("[node] interface", old.interface != new.interface, RESTART),
        ("[node] user", old.user != new.user, RESTART),
        ("[node] state_dir", old.state_dir != new.state_dir, RESTART),
        ("[node] workers", old.workers != new.workers, TAKE_OVER),
        ("[control]", old.control != new.control, TAKE_OVER),
        ("[admin] listen", old.admin.listen != new.admin.listen, TAKE_OVER),
        ("[log] requests", old.log.requests != new.log.requests, TAKE_OVER),
        ("[log] events", old.log.events != new.log.events, TAKE_OVER),
        ("[node] xdp_mode", old.xdp_mode != new.xdp_mode, LOAD),
        ("[node] kernel_object", old.kernel_object != new.kernel_object, LOAD),
        ("[node] service_prefixes", old.service_prefixes != new.service_prefixes, LOAD),
        ("[node] only_services", old.only_services != new.only_services, LOAD),
        ("[node] cpumap", old.cpumap != new.cpumap, LOAD),
    ];
    let changed = table.iter().filter(|(_, is_changed, _)| *is_changed);
    changed.map(|(key, _, cure)| format!("{key} has changed, which {cure}")).collect()
}

/// Without the kernel half the sockets stand on the real addresses: other addresses, ports or worker sets are other
/// sockets.
pub fn changed_listeners(old: &ServicePlan, new: &ServicePlan) -> Option<String> {
    if old.listens_as(new) {
        return None;
    }
    let text = |plan: &ServicePlan, other: &ServicePlan| -> Vec<String> {
        let differ = plan.endpoints().filter(|(endpoint, workers)| {
            !other.endpoints().any(|(found, set)| found == *endpoint && set == *workers)
        });
        differ.map(|((address, port), _)| std::net::SocketAddr::new(address, port).to_string()).collect()
    };
    let mut differing = [text(new, old), text(old, new)].concat();
    differing.sort();
    differing.dedup();
    let list = differing.join(", ");
    Some(format!(
        "addresses, ports or worker sets have changed ({list}), which without `interface` needs a restart or \
         `waf node --take-over`"
    ))
}

#[cfg(test)]
mod tests;

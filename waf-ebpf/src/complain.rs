//! One log line for each state that must not occur: user space has written maps that contradict each other.
//! At most one line a second and CPU. The level is set at load; the node reads the ring. Not marked cold: that would put
//! the functions into a section of their own, and the loader then calls others in their place.

use aya_ebpf::helpers::generated::bpf_ktime_get_coarse_ns;
use aya_log_ebpf::error;
use waf_common::limits::LOG_INTERVAL_NS;
use waf_common::service::ServiceValue;

use crate::maps::LOG_GATE;

/// The log macros ask for a context and do not look at it.
const NO_CONTEXT: () = ();

/// A service points to a worker set that WORKERS has not.
#[inline(never)]
pub fn no_worker_set(service: &ServiceValue) {
    if is_due() {
        error!(
            &NO_CONTEXT,
            "service {} points to worker set {}, which is not there", service.service_id, service.worker_set
        );
    }
}

/// A service points to a worker set without workers.
#[inline(never)]
pub fn empty_worker_set(service: &ServiceValue) {
    if is_due() {
        error!(
            &NO_CONTEXT,
            "service {} points to worker set {}, which has no worker", service.service_id, service.worker_set
        );
    }
}

/// Opens the gate when the last line of this CPU is long enough ago.
#[inline(always)]
fn is_due() -> bool {
    let Some(last_ns) = LOG_GATE.get_ptr_mut(0) else { return false };
    // SAFETY: the helper takes nothing and reads a clock; the slot is this CPU's own.
    unsafe {
        let now_ns = bpf_ktime_get_coarse_ns();
        if now_ns - *last_ns < LOG_INTERVAL_NS {
            return false;
        }
        *last_ns = now_ns;
    }
    true
}

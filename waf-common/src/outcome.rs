//! Every way a packet can leave the kernel half, and its counter. Which packet gets which outcome is waf-ebpf's matter.

use crate::abi::abi_type;

macro_rules! outcomes {
    ($size:literal; $($(#[$doc:meta])* $variant:ident = $field:ident = $number:literal: $text:literal),* $(,)?) => {
        /// How a packet left. The number is the counter's index.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Outcome { $($(#[$doc])* $variant = $number),* }

        /// All outcomes in the order of their numbers.
        pub const OUTCOMES: &[Outcome] = &[$(Outcome::$variant),*];

        impl Outcome {
            /// The counter's field name, as `bpftool map dump` prints it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($field)),* }
            }

            /// One sentence for operators.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The outcome of a number read from a report.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }

        abi_type! {
            /// The one entry of COUNTERS (per CPU): packets by outcome, each under its name.
            pub struct Counters: $size { $($(#[$doc])* pub $field: u64),* }
        }

        impl Counters {
            /// Packets of one outcome.
            pub const fn of(&self, outcome: Outcome) -> u64 {
                match outcome { $(Outcome::$variant => self.$field),* }
            }

            /// Hot: per packet. The counter of one outcome, to be counted up. None never happens: the compiler and the
            /// verifier see a bounds check instead of a jump table.
            #[inline(always)]
            pub fn slot_mut(&mut self, outcome: Outcome) -> Option<&mut u64> {
                bytemuck::cast_mut::<Self, [u64; OUTCOMES.len()]>(self).get_mut(outcome as usize)
            }

            /// Adds another CPU's counters.
            pub fn add(&mut self, other: &Self) { $(self.$field = self.$field.wrapping_add(other.$field);)* }
        }
    };
}

outcomes! { 136;
    /// Neither IPv4 nor IPv6: ARP and the like.
    PassNotIp = pass_not_ip = 0: "not IP, passed to the stack",
    PassInactive = pass_inactive = 1: "the filter is not active, passed",
    PassHost = pass_host = 2: "not for a service address, passed to the stack",
    PassIcmp = pass_icmp = 3: "ICMP for a service address, passed",
    PassFragment = pass_fragment = 4: "later fragment for a service address, passed",
    PassService = pass_service = 5: "for a service, passed to its worker",
    PassSteered = pass_steered = 6: "for a service, sent to the CPU of its worker",
    DropMalformed = drop_malformed = 7: "for a service address but malformed, dropped",
    DropNoService = drop_no_service = 8: "for a services-only prefix but no service, dropped",
    DropNode = drop_node = 9: "source blocked on the node, dropped",
    DropAddress = drop_address = 10: "source blocked for the service address, dropped",
    DropTenant = drop_tenant = 11: "source blocked for the tenant, dropped",
    LookupAssigned = lookup_assigned = 12: "connection given to a worker's socket",
    LookupNoSocket = lookup_no_socket = 13: "no live worker socket, left to the stack (RST)",
    LookupRefused = lookup_refused = 14: "service refused, answered with RST",
    LookupPass = lookup_pass = 15: "connection for no service, left to the stack",
    DropFragment = drop_fragment = 16: "fragment for a service address, dropped by policy",
}

abi_type! {
    /// Value of TENANT_COUNTERS (per CPU), at the tenant's place. 40 bytes.
    pub struct TenantCounters: 40 {
        /// Whose place it is; 0 = nobody's yet.
        pub tenant: u32,
        pub _pad: u32,
        pub packets: u64,
        pub bytes: u64,
        pub drops: u64,
        pub syns: u64,
    }
}

impl TenantCounters {
    /// Adds another CPU's counters of the same tenant.
    pub fn add(&mut self, other: &Self) {
        self.tenant = other.tenant;
        self.packets = self.packets.wrapping_add(other.packets);
        self.bytes = self.bytes.wrapping_add(other.bytes);
        self.drops = self.drops.wrapping_add(other.drops);
        self.syns = self.syns.wrapping_add(other.syns);
    }
}

#[cfg(test)]
mod tests;

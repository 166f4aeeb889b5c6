//! The enums whose variants are label values.

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $label:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// All label values; a variant's number is its index.
            pub(super) const LABELS: &[&'static str] = &[$($label),*];

            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }
        }
    };
}

labels! {
    /// What became of a request.
    RequestVerdict {
        Pass = "pass",
        Deny = "deny",
        Drop = "drop",
        Redirect = "redirect",
        /// Answered by an error page, or cut off: no verdict of the rules.
        Error = "error",
    }
}

labels! {
    /// What came of the wish for an origin connection.
    OriginConnect {
        Opened = "opened",
        Reused = "reused",
        ConnectFailed = "connect_failed",
        ResolveFailed = "resolve_failed",
        /// The address policy refused it.
        Forbidden = "forbidden",
    }
}

labels! {
    /// How a TLS handshake with a client ended.
    HandshakeResult {
        Completed = "completed",
        Failed = "failed",
    }
}

labels! {
    /// What became of a new configuration.
    ReloadResult {
        Taken = "taken",
        Refused = "refused",
    }
}

labels! {
    /// Where something may have to wait.
    Queue {
        /// From the workers to the feedback loop.
        Observations = "observations",
        /// From the node to its workers.
        Commands = "commands",
        /// To the log thread.
        Log = "log",
    }
}

labels! {
    /// What the kernel half holds tables of.
    KernelTable {
        Services = "services",
        WorkerSets = "worker_sets",
        Prefixes = "prefixes",
        Allow4 = "allow4",
        Allow6 = "allow6",
        Block4 = "block4",
        Block6 = "block6",
        BlockExact = "block_exact",
        Flows = "flows",
        Tenants = "tenants",
    }
}

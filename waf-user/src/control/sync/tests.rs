//! Nodes over real TLS.

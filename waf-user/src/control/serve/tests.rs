//! The life of a control process.

//! Set-up, build, load, lab, demo, tests and tidiness of the workspace.
#![forbid(unsafe_code)]

pub mod tidy;

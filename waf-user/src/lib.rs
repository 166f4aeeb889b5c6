//! The user half of the WAF: data plane and tools. Modules in the order of their layers; `cargo xtask tidy` keeps
//! each from importing what lies above it.
#![deny(unsafe_code)]

pub mod model;

pub mod engine;
pub mod http;

pub mod secret;

pub mod config;
pub mod event;
pub mod telemetry;

pub mod kernel;
pub mod origin;
pub mod tls;

pub mod proxy;

pub mod node;

pub mod control;

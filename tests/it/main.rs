//! Integration tests.

mod demo;
mod kernel;

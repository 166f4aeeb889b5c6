//! Integration tests.

mod kernel;

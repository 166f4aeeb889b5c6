//! Frame bytes to the facts that verdicts need. Plain safe Rust over a byte slice; the kernel half runs the same code.

//! Each rule finds what it is for, and nothing in what is in order.

use super::{SourceFile, files, imports, layers, metrics, source, words};

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

#[test]
fn layers_keep_their_order() {
    let rows = [
        ("model imports std", "waf-user/src/model/ban.rs", "use std::fmt;", 0),
        ("model imports itself", "waf-user/src/model/ban.rs", "use crate::model::Mono;", 0),
        ("model imports config", "waf-user/src/model/ban.rs", "use crate::config::X;", 1),
        ("engine imports model", "waf-user/src/engine/mod.rs", "use crate::model::X;", 1),
        ("engine imports engine", "waf-user/src/engine/a.rs", "use crate::engine::X;", 0),
        ("proxy imports origin", "waf-user/src/proxy/a.rs", "use crate::origin::X;", 0),
        ("proxy imports node", "waf-user/src/proxy/a.rs", "use crate::node::X;", 1),
        ("event imports telemetry", "waf-user/src/event/a.rs", "use crate::telemetry::X;", 1),
        ("telemetry imports event", "waf-user/src/telemetry/a.rs", "use crate::event::X;", 0),
        ("a list of imports", "waf-user/src/tls/a.rs", "use crate::{model::A, proxy::B, node::C};", 2),
        ("a list over lines", "waf-user/src/tls/a.rs", "use crate::{\n    model::A,\n    node::C,\n};", 1),
        ("a nested list", "waf-user/src/tls/a.rs", "use crate::{model::{A, B}, node::C};", 1),
        ("a path from the root by super", "waf-user/src/tls/a.rs", "use super::super::node::C;", 1),
        ("a module of no layer", "waf-user/src/tls/a.rs", "use crate::helper::X;", 1),
        ("a file of no layer", "waf-user/src/helper.rs", "use std::fmt;", 1),
        ("the binary's commands", "waf-user/src/command/ban.rs", "use waf_user::node::X;", 0),
        ("in an expression", "waf-user/src/http/a.rs", "let x = crate::node::run();", 1),
        ("in a comment", "waf-user/src/http/a.rs", "// see crate::node::run", 0),
        ("other package", "xtask/src/a.rs", "use crate::node::X;", 0),
        ("rustls in tls", "waf-user/src/tls/a.rs", "use rustls::X;", 0),
        ("rustls in proxy", "waf-user/src/proxy/a.rs", "use rustls::X;", 1),
        ("tokio_rustls in proxy", "waf-user/src/proxy/a.rs", "use tokio_rustls::X;", 1),
        ("aya in node", "waf-user/src/node/a.rs", "fn f(m: aya::maps::Map) {}", 1),
        ("a path segment of that name", "waf-user/src/node/a.rs", "use crate::tls::aya::X;", 0),
    ];
    for (name, path, text, expected) in rows {
        assert_eq!(layers::check(&file(path, text)).len(), expected, "{name}");
    }
}

#[test]
fn imports_stand_in_three_blocks() {
    let rows = [
        ("in order", "use std::fmt;\n\nuse anyhow::Result;\n\nuse crate::a;\nuse super::b;\n", 0),
        ("two blocks", "use std::fmt;\n\nuse super::b;\n", 0),
        ("no blank line", "use std::fmt;\nuse anyhow::Result;\n", 1),
        ("wrong order", "use crate::a;\n\nuse std::fmt;\n", 1),
        ("a module of its own", "mod a;\n\nuse std::fmt;\n\nuse super::b;\nuse a::c;\n", 0),
        ("re-exports apart", "pub use crate::a;\nuse std::fmt;\n", 0),
    ];
    for (name, text, expected) in rows {
        assert_eq!(imports::check(&file("xtask/src/a.rs", text)).len(), expected, "{name}");
    }
}

#[test]
fn metrics_are_declared_once_with_help() {
    let home = "waf-user/src/telemetry/exposition.rs";
    let rows = [
        ("in order", home, "f(\"waf_proxy_requests\", \"Requests\")", 0),
        ("help on its own line", home, "f(\n    \"waf_proxy_requests\",\n    \"Requests\",\n)", 0),
        ("no help", home, "f(\"waf_proxy_requests\", count)", 1),
        ("an empty help", home, "f(\"waf_proxy_requests\", \"\")", 1),
        ("twice", home, "f(\"waf_proxy_a\", \"A\"); f(\"waf_proxy_a\", \"A\")", 1),
        ("of no module", home, "f(\"waf_requests\", \"Requests\")", 1),
        ("the encoder's ending", home, "f(\"waf_proxy_requests_total\", \"Requests\")", 1),
        ("elsewhere", "waf-user/src/proxy/a.rs", "f(\"waf_proxy_requests\", \"Requests\")", 1),
        ("a program", "waf-user/src/kernel/a.rs", "f(\"waf_sk_lookup\")", 0),
        ("in a test", "waf-user/src/telemetry/tests.rs", "f(\"waf_proxy_requests_total\")", 0),
    ];
    for (name, path, text, expected) in rows {
        assert_eq!(metrics::check(&file(path, text)).len(), expected, "{name}");
    }
}

#[test]
fn words_are_found_in_code_only() {
    let rows = [
        ("unsafe in proxy", "waf-user/src/proxy/a.rs", "unsafe { f() }", 1),
        ("unsafe in kernel", "waf-user/src/kernel/a.rs", "unsafe { f() }", 0),
        ("unsafe in a string", "waf-user/src/proxy/a.rs", "f(\"unsafe\")", 0),
        ("unsafe in a comment", "waf-user/src/proxy/a.rs", "f() // unsafe", 0),
        ("another word", "waf-user/src/proxy/a.rs", "#![deny(unsafe_code)]", 0),
        ("commented-out call", "xtask/src/a.rs", "// run(root);", 1),
        ("commented-out binding", "xtask/src/a.rs", "    // let x = 1;", 1),
        ("prose", "xtask/src/a.rs", "// let the kernel decide, then return", 0),
        ("unfinished", "xtask/src/a.rs", concat!("tod", "o!()"), 1),
    ];
    for (name, path, text, expected) in rows {
        assert_eq!(words::check(&file(path, text)).len(), expected, "{name}");
    }
}

#[test]
fn files_open_with_docs_and_end_in_time() {
    let long = format!("//! Long.\n{}", "\n".repeat(600));
    let just = format!("//! Just.\n{}", "\n".repeat(599));
    let rows = [
        ("in order", "xtask/src/a.rs", "//! What.", 0),
        ("no opening", "xtask/src/a.rs", "use std::fmt;", 1),
        ("at the bound", "xtask/src/a.rs", just.as_str(), 0),
        ("over the bound", "xtask/src/a.rs", long.as_str(), 1),
        ("a long test", "xtask/src/tests.rs", long.as_str(), 0),
        ("empty name", "xtask/src/util.rs", "//! What.", 1),
    ];
    for (name, path, text, expected) in rows {
        assert_eq!(files::check(&file(path, text)).len(), expected, "{name}");
    }
}

#[test]
fn code_is_told_from_strings_and_comments() {
    let rows = [
        ("a(); // b", "a(); "),
        ("f(\"x // y\")", "f(\"\")"),
        ("f(\"\\\"\", g)", "f(\"\", g)"),
        ("'\"' + a", "' ' + a"),
    ];
    for (line, expected) in rows {
        assert_eq!(source::code_of(line), expected, "{line}");
    }
}

//! L2 to L5: CPU per request with the Core Rule Set of the package at paranoia level 1, request side, beside nginx with
//! libmodsecurity 3 and the same files. Every attack of the mix must be refused and nothing else, or there is no row.

use std::fs;

use anyhow::{Context, Result};

use super::Report;
use super::harness::{self, Run, compare, measure};
use crate::build::Built;
use crate::setup;

/// Row, workload of the harness, what it is, and connections: few where a request costs the peer much, so that a window
/// holds enough answers.
const ROWS: [(&str, &str, &str, u32); 6] = [
    ("L2", "get_benign", "GET with 8 parameters and cookies", 16),
    ("L3", "post_json", "JSON of 4 KiB", 8),
    ("L4", "post_multipart", "multipart of 64 KiB", 8),
    ("L5", "attack", "attack mix, all refused", 16),
    ("rules", "get_tiny", "tiny GET", 16),
    ("rules", "post_form", "form of 1 KiB", 16),
];
const SUBJECT: &str = "waf-crs-pl1";
const PEER: &str = "modsec3-pl1-reqonly";

pub fn run(built: &Built, report: &mut Report) -> Result<()> {
    let folder = harness::copied("rules")?;
    let module = setup::bench::modsecurity().context("nginx's module of libmodsecurity 3 is missing")?;
    // The harness expects the module where its package puts it; it is unpacked elsewhere.
    for (file, from, to) in [
        ("peers/nginx_modsec3.conf", "/usr/lib/nginx/modules", module.join("usr/lib/nginx/modules")),
        ("bench_l7.py", "/etc/nginx/modsecurity.conf", module.join("etc/nginx/modsecurity.conf")),
    ] {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("read the harness's {file}"))?;
        fs::write(&path, text.replace(from, &to.display().to_string()))
            .with_context(|| format!("write the harness's {file}"))?;
    }
    let subjects = format!("{SUBJECT},{PEER}");
    for (id, workload, what, connections) in ROWS {
        let what = format!("{SUBJECT}: CPU per {what}");
        let measured = measure(built, &folder, Run { subjects: &subjects, workload, connections });
        report.part(&what, |report| {
            compare(&measured?, id, &what, (SUBJECT, PEER), report);
            Ok(())
        });
    }
    Ok(())
}

//! L1: CPU per tiny request of the proxy alone beside nginx and haproxy, then with more tenants beside itself with one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Report;
use super::harness::{self, Run, compare, measure};
use crate::build::Built;

const TENANTS: [u32; 2] = [100, 2000];
const CONNECTIONS: u32 = 32;

pub fn run(built: &Built, report: &mut Report) -> Result<()> {
    let folder = harness::copied("l7")?;
    let tiny = |subjects| Run { subjects, workload: "get_tiny", connections: CONNECTIONS };
    add_subjects(&folder)?;
    let results = measure(built, &folder, tiny("waf-off,nginx-plain,haproxy-plain"))?;
    for (subject, base) in [("waf-off", "nginx-plain"), ("haproxy-plain", "nginx-plain")] {
        let id = if subject == "waf-off" { "L1" } else { "L1peer" };
        let what = format!("{subject}: CPU per tiny GET, one tenant");
        compare(&results, id, &what, (subject, base), report);
    }
    let many: Vec<String> = TENANTS.iter().map(|count| subject(*count)).collect();
    let subjects = format!("waf-off,{}", many.join(","));
    let results = measure(built, &folder, tiny(&subjects))?;
    for (count, name) in TENANTS.iter().zip(&many) {
        let what = format!("waf-off: CPU per tiny GET, {count} tenants");
        compare(&results, "growth", &what, (name, "waf-off"), report);
    }
    Ok(())
}

/// Subjects like waf-off, with tenants that no request is for behind the one that is asked.
fn add_subjects(folder: &Path) -> Result<()> {
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("read the harness's {name}"))
    };
    let template = read("peers/waf_node.toml")?;
    let mut subjects = read("subjects.toml")?;
    for count in TENANTS {
        let mut text = template.clone();
        for tenant in 0..count {
            write!(
                text,
                "[[tenant]]\nid = {}\nfqdn = \"t{tenant}.example.test\"\naddresses = [\"127.0.0.1\"]\n\
                 http_port = {{{{port}}}}\norigins = [\"http://127.0.0.1:{{{{origin_port}}}}\"]\nmode = \"off\"\n",
                tenant + 10
            )?;
        }
        fs::write(folder.join(format!("peers/waf_node_{count}.toml")), text)?;
        let name = subject(count);
        write!(
            subjects,
            "\n[[subject]]\nname = \"{name}\"\nmode = \"plain\"\ntls = true\ntemplates = [\"waf_node_{count}.toml\"]\n\
             vars = {{ waf_mode = \"off\", waf_rules = \"\", pl = \"1\", respbody = \"false\" }}\n\
             start = [\"{{{{waf}}}}\", \"node\", \"--config\", \"{{{{config}}}}\"]\nreload = \"HUP\"\n"
        )?;
    }
    fs::write(folder.join("subjects.toml"), subjects).context("write the subjects")
}

fn subject(tenants: u32) -> String {
    format!("waf-off-{tenants}")
}

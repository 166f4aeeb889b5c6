//! `waf rules check`: do the files load, and if not, every mistake at once.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use waf_user::engine::RuleSet;
use waf_user::node::rule_files::Disk;

use super::{Found, sources};

/// Say whether rule files load, and show every mistake at once.
///
/// Each mistake is shown with file, line and column, a caret under the word, and what to do about it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  waf rules check                          the Core Rule Set of Debian's package\n  \
    waf rules check my-rules.conf\n  waf rules check /srv/coreruleset         set-up, plugins and rules of a release\n  \
    waf rules check --json crs-setup.conf rules/*.conf\n\n\
    Files count in the order given, as if they were one; Include is followed.\n\
    Exit codes: 0 they load, 1 mistakes, 2 a file cannot be read, or wrong usage."
)]
pub struct Check {
    /// Rule files, patterns or folders; none: Debian's modsecurity-crs
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Check {
    pub fn run(self) -> Found {
        let files = sources::read(&self.files)?;
        let mut out = io::stdout().lock();
        match RuleSet::compile_with_defaults(&files, &Disk) {
            Ok(rules) if self.json => {
                writeln!(
                    out,
                    "{}",
                    json!({"ok": true, "files": files.len(), "rules": rules.len(), "mistakes": []})
                )?;
                Ok(true)
            }
            Ok(rules) => {
                writeln!(out, "{} rules, no mistake", rules.len())?;
                Ok(true)
            }
            Err(errors) => {
                if self.json {
                    let mistakes: Vec<_> = errors.mistakes.iter().map(|one| json!({
                        "file": one.file, "line": one.line, "column": one.column, "message": one.message,
                        "cure": one.cure, "text": one.text,
                    })).collect();
                    writeln!(out, "{}", json!({"ok": false, "files": files.len(), "mistakes": mistakes}))?;
                } else {
                    write!(out, "{errors}")?;
                    writeln!(out, "{} mistakes", errors.mistakes.len())?;
                }
                Ok(false)
            }
        }
    }
}

//! `<IfModule name>` … `</IfModule>`: the module is always there, so that what stands inside counts, and what stands inside
//! `<IfModule !name>` does not. Other containers depend on the web server's request and are refused.

use super::Compiler;
use crate::engine::text::Word;

/// The open containers of one file: where each began, and whether its lines count.
#[derive(Debug, Default)]
pub struct Containers {
    open: Vec<(Word, bool)>,
}

impl Compiler<'_> {
    /// Whether a line is a container's mark, or stands where it does not count.
    pub(super) fn contained(&mut self, line: &[Word], containers: &mut Containers) -> bool {
        let counts = containers.open.iter().all(|(_, counts)| *counts);
        let Some(first) = line.first().filter(|word| word.text.starts_with(b"<")) else { return !counts };
        let name = first.lossy().trim_start_matches('<').trim_end_matches('>').to_ascii_lowercase();
        match name.as_str() {
            "ifmodule" | "ifdefine" => {
                let argument = line.get(1).map(Word::lossy).unwrap_or_default();
                let there = name == "ifmodule";
                containers.open.push((first.clone(), there != argument.starts_with('!')));
            }
            "/ifmodule" | "/ifdefine" => {
                let opened = containers.open.pop().map(|(word, _)| word.lossy().to_ascii_lowercase());
                if opened.is_none_or(|opened| opened.trim_start_matches('<') != name.trim_start_matches('/'))
                {
                    self.mistake(first.whole(), format!("<{name}> closes nothing"), "remove it");
                }
            }
            _ if counts => {
                let message = format!("the container {} is not supported", first.lossy());
                self.mistake(first.whole(), message, "rules hold for all of a tenant: use ctl or SecRule");
            }
            _ => {}
        }
        true
    }

    /// At the end of a file every container must be closed.
    pub(super) fn end_containers(&mut self, containers: Containers) {
        for (word, _) in containers.open {
            let message = format!("{}> is never closed", word.lossy());
            self.mistake(word.whole(), message, "close it in this file");
        }
    }
}

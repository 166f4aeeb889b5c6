//! `waf event`: the event of an id, from the log that node.toml names, as a page for people or as its JSON.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use waf_user::config;
use waf_user::event::{EventId, find, printable};

use super::Outcome;

/// Find an event by the id that the block page shows.
#[derive(Args)]
#[command(
    after_help = "Example:\n  waf event 0192f3c0a1b24c5d6e7f8091a2b3c4d5 --config /etc/waf/node.toml\n\n\
    Exit codes: 0 found, 1 not found or failed, 2 wrong usage."
)]
pub struct Event {
    /// 32 hexadecimal digits
    id: EventId,
    /// The node's node.toml; its [log] says where events lie
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print the event's JSON
    #[arg(long)]
    json: bool,
}

impl Event {
    pub fn run(self) -> Outcome {
        let (settings, _config) = config::load(&self.config)?;
        let Some(path) = settings.log.events else {
            return Err("this node keeps no event log: set `events` in [log]".into());
        };
        let found = find(&path, self.id).map_err(|error| format!("read {}: {error}", path.display()))?;
        let Some(event) = found else {
            return Err(format!("no event {} in {}", self.id, path.display()).into());
        };
        if self.json {
            // JSON escapes C0 itself; C1 and the writing direction are escaped here, still as JSON.
            println!("{}", escape_json(&serde_json::to_string_pretty(&event)?));
        } else {
            print!("{}", page(&event));
        }
        Ok(())
    }
}

/// One line a field, the rules below. Everything a visitor sent is made safe for the terminal.
fn page(event: &Value) -> String {
    let Value::Object(fields) = event else { return format!("{}\n", printable(&event.to_string())) };
    let mut text = String::new();
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::String(value) if value.is_empty() => {}
            Value::Array(rules) if name == "rules" => {
                rules.iter().for_each(|rule| text.push_str(&rule_block(rule)))
            }
            value => text.push_str(&format!("{:<12} {}\n", printable(name), shown(value))),
        }
    }
    text
}

fn rule_block(rule: &Value) -> String {
    let field = |name: &str| rule.get(name).map(shown).unwrap_or_default();
    let mut text = format!("{:<12} {} {}\n", "rule", field("id"), field("msg"));
    for name in ["phase", "severity", "variable", "value", "span", "logdata", "tags", "transformations"] {
        let value = field(name);
        if !value.is_empty() && value != "null" && value != "[]" {
            text.push_str(&format!("  {name:<16} {value}\n"));
        }
    }
    text
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text).into_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        other => printable(&other.to_string()).into_owned(),
    }
}

/// As [`printable`], in JSON's own notation; line ends of the layout stay.
fn escape_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || printable(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        let event = serde_json::json!({
            "id": "00", "target": "/\u{1b}[2J\u{9b}31m", "sni": null,
            "rules": [{ "id": 1, "msg": "m", "value": "\u{7}\u{202e}", "tags": ["a", "b"], "span": null }],
        });
        let hostile = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        let text = page(&event);
        assert!(!text.contains(hostile), "{text:?}");
        assert!(text.contains("a, b"), "{text}");
        let json = escape_json(&serde_json::to_string_pretty(&event).unwrap());
        assert!(!json.contains(hostile), "{json:?}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), event);
    }
}

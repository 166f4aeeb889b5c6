//! The values of actions that set something: setvar, expirevar, deprecatevar, initcol, setsid and its kin, setenv.

use super::Compiler;
use crate::engine::collection::Scope;
use crate::engine::rule::{Action, Change, Holder, SetVar};
use crate::engine::template::Template;
use crate::engine::text::Word;

impl Compiler<'_> {
    /// `tx.name=value`, `=+value`, `=-value`, `name`, `!name`.
    pub(super) fn set_var(&mut self, value: &Word) -> Option<SetVar> {
        let (delete, from) = if value.text.starts_with(b"!") { (true, 1) } else { (false, 0) };
        let equals = value.text.iter().position(|byte| *byte == b'=');
        let name = value.slice(from, equals.unwrap_or(value.text.len()));
        let (holder, name) = self.held("setvar", &name)?;
        let change = match equals {
            _ if delete => Change::Delete,
            None => Change::Assign(Template::literal(b"1")),
            Some(equals) => {
                let sign = value.text.get(equals + 1);
                let from = equals + 1 + usize::from(matches!(sign, Some(b'+' | b'-')));
                let amount = self.template(&value.slice(from, value.text.len()))?;
                match sign {
                    Some(b'+') => Change::Add(amount),
                    Some(b'-') => Change::Subtract(amount),
                    _ => Change::Assign(amount),
                }
            }
        };
        Some(SetVar { holder, name, change })
    }

    /// `ip.name=seconds`; without seconds one hour, as the reference engine says.
    pub(super) fn expire_var(&mut self, value: &Word) -> Option<Action> {
        let (name, seconds) = halves(value, b'=');
        let (holder, name) = self.held("expirevar", &name)?;
        let seconds = match seconds {
            Some(seconds) => self.template(&seconds)?,
            None => Template::literal(b"3600"),
        };
        Some(Action::Expire { holder, name, seconds })
    }

    /// `session.score=60/300`.
    pub(super) fn deprecate_var(&mut self, value: &Word) -> Option<Action> {
        let (name, rate) = halves(value, b'=');
        let (holder, name) = self.held("deprecatevar", &name)?;
        let (amount, seconds) = halves(&rate.unwrap_or_else(|| value.slice(0, 0)), b'/');
        let (amount, seconds) = (self.template(&amount)?, seconds.map(|seconds| self.template(&seconds)));
        let Some(seconds) = seconds.flatten() else {
            self.mistake(value.whole(), "no rate", "write deprecatevar:COLLECTION.NAME=AMOUNT/SECONDS");
            return None;
        };
        Some(Action::Deprecate { holder, name, amount, seconds })
    }

    /// `ip=%{REMOTE_ADDR}`.
    pub(super) fn init_col(&mut self, value: &Word) -> Option<Action> {
        let (name, key) = halves(value, b'=');
        let scope = Scope::named(&name.lossy());
        let (Some(scope), Some(key)) = (scope, key) else {
            let message = format!("initcol of `{}`", value.lossy());
            let cure = "write initcol:COLLECTION=KEY with ip, global, resource, session or user";
            self.mistake(value.whole(), message, cure);
            return None;
        };
        self.open(scope, &key)
    }

    pub(super) fn open(&mut self, scope: Scope, key: &Word) -> Option<Action> {
        Some(Action::Open { scope, key: self.template(key)? })
    }

    /// `name=value`, `name`, `!name`.
    pub(super) fn set_env(&mut self, value: &Word) -> Option<Action> {
        let (name, text) = halves(value, b'=');
        let text = match text {
            Some(text) => self.template(&text)?,
            None => Template::literal(if name.text.starts_with(b"!") { b"" } else { b"1" }),
        };
        let name = name.slice(usize::from(name.text.starts_with(b"!")), name.text.len());
        Some(Action::SetEnv { name: self.template(&name)?, value: text })
    }

    /// `collection.name`.
    fn held(&mut self, action: &str, word: &Word) -> Option<(Holder, Template)> {
        let (collection, name) = halves(word, b'.');
        let holder = match collection.lossy().to_ascii_lowercase().as_str() {
            "tx" => Some(Holder::Tx),
            other => Scope::named(other).map(Holder::Record),
        };
        let (Some(holder), Some(name)) = (holder, name) else {
            let message = format!("{action} of `{}`", word.lossy());
            let cure =
                format!("write {action}:COLLECTION.NAME with tx, ip, global, resource, session or user");
            self.mistake(word.whole(), message, cure);
            return None;
        };
        Some((holder, self.template(&name)?))
    }
}

/// What stands before and after the first separator.
fn halves(word: &Word, separator: u8) -> (Word, Option<Word>) {
    let at = word.text.iter().position(|byte| *byte == separator);
    let end = word.text.len();
    (word.slice(0, at.unwrap_or(end)), at.map(|at| word.slice(at + 1, end)))
}

//! Logical lines -> statements: splits a directive's words into targets, operator and actions. Looks up no name.

use super::diagnostic::Mistake;
use super::lexer::{Line, Word};
use super::statement::{ActionText, OperatorText, RuleText, Statement, TargetSign, TargetText};

/// The statement of one line; None where the mistake leaves nothing to go on with.
pub fn statement(line: Line, mistakes: &mut Vec<Mistake>) -> Option<Statement> {
    let mut words = line.into_iter();
    let directive = words.next()?;
    let arguments: Vec<Word> = words.collect();
    match directive.lossy().to_ascii_lowercase().as_str() {
        "secrule" => rule(directive, arguments, mistakes),
        "secaction" | "secdefaultaction" => {
            let [list] = arguments.as_slice() else {
                let message = format!("{} wants one list of actions", directive.lossy());
                mistakes.push(Mistake::new(
                    directive.whole(),
                    message,
                    "put the whole list in double quotes",
                ));
                return None;
            };
            let actions = self::actions(list, mistakes);
            let default = directive.lossy().eq_ignore_ascii_case("secdefaultaction");
            Some(if default {
                Statement::DefaultAction { directive, actions }
            } else {
                Statement::Action { directive, actions }
            })
        }
        _ => Some(Statement::Plain { directive, arguments }),
    }
}

fn rule(directive: Word, arguments: Vec<Word>, mistakes: &mut Vec<Mistake>) -> Option<Statement> {
    let (targets, operator, list) = match arguments.as_slice() {
        [targets, operator] => (targets, operator, None),
        [targets, operator, actions] => (targets, operator, Some(actions)),
        _ => {
            let message =
                format!("SecRule wants variables, operator and actions, found {} words", arguments.len());
            mistakes.push(Mistake::new(
                directive.whole(),
                message,
                "put operator and actions in double quotes",
            ));
            return None;
        }
    };
    let targets = self::targets(targets, mistakes);
    let operator = self::operator(operator);
    let actions = list.map_or_else(Vec::new, |list| self::actions(list, mistakes));
    Some(Statement::Rule(RuleText { directive, targets, operator, actions }))
}

/// Splits at `|` and `,`, but not inside a `/regex/` or a quoted selector.
pub fn targets(list: &Word, mistakes: &mut Vec<Mistake>) -> Vec<TargetText> {
    let mut targets = Vec::new();
    let mut from = 0;
    while from <= list.text.len() {
        let to = target_end(&list.text, from);
        let part = list.slice(from, to);
        if part.text.trim_ascii().is_empty() {
            mistakes.push(Mistake::new(
                list.place(from, 1),
                "a variable is missing here",
                "remove the extra |",
            ));
        } else {
            targets.push(target(&part));
        }
        from = to + 1;
    }
    targets
}

fn target_end(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let Some(colon) = rest.iter().position(|byte| matches!(byte, b':' | b'|' | b',')) else {
        return text.len();
    };
    if rest.get(colon) != Some(&b':') {
        return from + colon;
    }
    let mut at = colon + 1;
    let quote = rest.get(at) == Some(&b'\'');
    at += usize::from(quote);
    // An XPath such as XML:/* or XML://@* is no regular expression: it is never closed by a slash.
    let slash = rest.get(at) == Some(&b'/') && !rest.get(..colon).unwrap_or_default().ends_with(b"XML");
    at += usize::from(slash);
    let mut guarded = false;
    while let Some(byte) = rest.get(at) {
        let closes = if slash {
            *byte == b'/' && !guarded && ends_target(rest, at + 1 + usize::from(quote))
        } else if quote {
            *byte == b'\'' && !guarded
        } else {
            matches!(byte, b'|' | b',')
        };
        if closes {
            return from + at + usize::from(slash) + usize::from(quote);
        }
        guarded = *byte == b'\\' && !guarded;
        at += 1;
    }
    text.len()
}

fn ends_target(rest: &[u8], at: usize) -> bool {
    matches!(rest.get(at), None | Some(b'|' | b','))
}

fn target(part: &Word) -> TargetText {
    let lead = part.text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let end = part.text.trim_ascii_end().len();
    let (sign, from) = match part.text.get(lead) {
        Some(b'!') => (TargetSign::Exclude, lead + 1),
        Some(b'&') => (TargetSign::Count, lead + 1),
        _ => (TargetSign::Value, lead),
    };
    let colon = part.text.iter().position(|byte| *byte == b':');
    let name = part.slice(from, colon.unwrap_or(end));
    let selector = colon.map(|colon| {
        let quoted = part.text.get(colon + 1) == Some(&b'\'') && part.text.get(end - 1) == Some(&b'\'');
        match quoted && end > colon + 2 {
            true => part.slice(colon + 2, end - 1),
            false => part.slice(colon + 1, end),
        }
    });
    TargetText { sign, name, selector }
}

/// `!@op argument`.
fn operator(word: &Word) -> OperatorText {
    let text = &word.text;
    let end = text.len();
    let mut at = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let negated = text.get(at) == Some(&b'!');
    at += usize::from(negated);
    if text.get(at) != Some(&b'@') {
        let rx = Word::assembled(word, b"rx".iter().map(|byte| (at, *byte)).collect());
        return OperatorText { negated, name: rx, argument: word.slice(at, end) };
    }
    let name_end = text.iter().skip(at).position(u8::is_ascii_whitespace).map_or(end, |length| at + length);
    let name = word.slice(at + 1, name_end);
    let argument =
        text.iter().skip(name_end).take_while(|byte| byte.is_ascii_whitespace()).count() + name_end;
    OperatorText { negated, name, argument: word.slice(argument, end) }
}

/// `name:value,name:'value, with comma',name`.
pub fn actions(list: &Word, mistakes: &mut Vec<Mistake>) -> Vec<ActionText> {
    let mut actions = Vec::new();
    let text = &list.text;
    let mut at = 0;
    loop {
        while text.get(at).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b',') {
            at += 1;
        }
        if at >= text.len() {
            return actions;
        }
        let from = at;
        while text.get(at).is_some_and(|byte| !matches!(byte, b':' | b',')) {
            at += 1;
        }
        let name_end = from + text.get(from..at).unwrap_or_default().trim_ascii_end().len();
        let name = list.slice(from, name_end);
        if text.get(at) != Some(&b':') {
            actions.push(ActionText { name, value: None });
            continue;
        }
        at += 1;
        let (value, next) = action_value(list, at, mistakes);
        actions.push(ActionText { name, value: Some(value) });
        at = next;
    }
}

fn action_value(list: &Word, mut at: usize, mistakes: &mut Vec<Mistake>) -> (Word, usize) {
    let text = &list.text;
    while text.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    if text.get(at) != Some(&b'\'') {
        let end =
            text.iter().skip(at).position(|byte| *byte == b',').map_or(text.len(), |length| at + length);
        let trimmed = at + text.get(at..end).unwrap_or_default().trim_ascii_end().len();
        return (list.slice(at, trimmed), end);
    }
    let opened = at;
    let mut bytes = Vec::new();
    at += 1;
    while let Some(byte) = text.get(at).copied() {
        if byte == b'\'' {
            return (Word::assembled(list, bytes), at + 1);
        }
        if byte == b'\\' && text.get(at + 1) == Some(&b'\'') {
            at += 1;
            bytes.push((at, b'\''));
        } else {
            bytes.push((at, byte));
        }
        at += 1;
    }
    mistakes.push(Mistake::new(
        list.place(opened, 1),
        "a quote that is never closed",
        "close the action's value with '",
    ));
    (Word::assembled(list, bytes), at)
}

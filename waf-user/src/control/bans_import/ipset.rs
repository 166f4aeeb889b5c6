//! `create NAME TYPE OPTION…` and `add NAME MEMBER OPTION…`, as `ipset save` prints them (ipset(8)) -> bans. The names of
//! the sets say nothing to us; only their types, their default timeout and their netmask do.

use std::collections::HashMap;

use super::{Fault, Gather, is_comment, lines, prefix};

/// What a set says of all its members.
#[derive(Clone, Copy, Default)]
struct Set {
    /// Members without their own end by it. 0: never.
    timeout_s: u32,
    /// The length of each member of a hash:ip or bitmap:ip.
    netmask: Option<u8>,
}

pub(super) fn read(text: &str, gather: &mut Gather) {
    // None: of a type that holds what can be banned not. Said once; its members are then no mistakes of their own.
    let mut sets: HashMap<&str, Option<Set>> = HashMap::new();
    for (number, line) in lines(text) {
        if line.is_empty() || is_comment(line) {
            continue;
        }
        let outcome = match line.split_once(char::is_whitespace) {
            Some(("create", rest)) => create(rest).map(|(name, set)| {
                sets.insert(name, Some(set));
            }),
            Some(("add", rest)) => {
                let name = rest.split_whitespace().next().unwrap_or_default();
                match sets.get(name).copied().unwrap_or(Some(Set::default())) {
                    Some(set) => add(number, rest, set, gather),
                    None => Ok(()),
                }
            }
            _ => Err(Fault::Command(line.split_whitespace().next().unwrap_or_default().to_owned())),
        };
        if let Err(fault) = outcome {
            if let ("create", Some(name)) = (first(line), line.split_whitespace().nth(1)) {
                sets.insert(name, None);
            }
            gather.fault(number, fault);
        }
    }
}

fn first(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

fn create(rest: &str) -> Result<(&str, Set), Fault> {
    let mut words = rest.split_whitespace();
    let name = words.next().ok_or(Fault::Missing("the name of the set"))?;
    let kind = words.next().ok_or(Fault::Missing("the type of the set"))?;
    if !matches!(kind, "hash:ip" | "hash:net" | "bitmap:ip") {
        return Err(Fault::SetType { set: name.to_owned(), kind: kind.to_owned() });
    }
    let mut set = Set::default();
    while let Some(option) = words.next() {
        match option {
            "timeout" => set.timeout_s = number("timeout", words.next())?,
            "netmask" => set.netmask = Some(number("netmask", words.next())?),
            _ => {}
        }
    }
    Ok((name, set))
}

fn add(line: usize, rest: &str, set: Set, gather: &mut Gather) -> Result<(), Fault> {
    let (rest, comment) = split_comment(rest)?;
    let mut words = rest.split_whitespace();
    let name = words.next().ok_or(Fault::Missing("the name of the set"))?;
    let member = words.next().ok_or(Fault::Missing("the member of the set"))?;
    let mut timeout_s = set.timeout_s;
    while let Some(option) = words.next() {
        match option {
            "timeout" => timeout_s = number("timeout", words.next())?,
            "nomatch" => return Err(Fault::Exception(name.to_owned())),
            _ => {}
        }
    }
    let prefix = match set.netmask {
        Some(len) if !member.contains('/') => prefix(&format!("{member}/{len}"))?,
        _ => prefix(member)?,
    };
    gather.ban(line, prefix, (timeout_s != 0).then_some(timeout_s), comment);
    Ok(())
}

/// Takes ` comment "…"` out; a comment holds no quote (ipset(8)) and stands anywhere among the options.
fn split_comment(rest: &str) -> Result<(String, Option<&str>), Fault> {
    let Some((before, after)) = rest.split_once(" comment \"") else {
        return Ok((rest.to_owned(), None));
    };
    let (comment, after) = after.split_once('"').ok_or(Fault::Quote)?;
    Ok((format!("{before} {after}"), Some(comment)))
}

fn number<T: std::str::FromStr>(option: &'static str, value: Option<&str>) -> Result<T, Fault> {
    let value = value.unwrap_or_default();
    value.parse().map_err(|_| Fault::Option { option, value: value.to_owned() })
}

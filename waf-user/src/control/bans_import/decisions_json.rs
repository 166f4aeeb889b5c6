//! CrowdSec's decisions as JSON -> bans: a list of them, a list of alerts that hold them (`cscli decisions list -o json`), or
//! the local API's stream with what is `new`.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use super::{Fault, Gather, LeftOut, duration, prefix};

/// One decision of either dialect.
pub(super) struct Decision<'a> {
    pub value: Option<&'a str>,
    pub scope: Option<&'a str>,
    pub measure: Option<&'a str>,
    pub duration: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub is_simulated: bool,
}

impl Decision<'_> {
    /// What it says, or why it is no ban.
    pub(super) fn gather(&self, line: usize, gather: &mut Gather) {
        if let Some(why) = self.left_out() {
            return gather.leave_out(why);
        }
        match self.read() {
            Ok((_, Some(0))) => gather.leave_out(LeftOut::Expired),
            Ok((prefix, ttl_s)) => gather.ban(line, prefix, ttl_s, self.reason),
            Err(fault) => gather.fault(line, fault),
        }
    }

    fn left_out(&self) -> Option<LeftOut> {
        if self.is_simulated {
            return Some(LeftOut::Simulated);
        }
        if let Some(measure) = self.measure.filter(|measure| !measure.eq_ignore_ascii_case("ban")) {
            return Some(LeftOut::Measure(measure.to_owned()));
        }
        let is_source = |scope: &str| scope.eq_ignore_ascii_case("ip") || scope.eq_ignore_ascii_case("range");
        self.scope.filter(|scope| !is_source(scope)).map(|scope| LeftOut::Scope(scope.to_owned()))
    }

    fn read(&self) -> Result<(ipnet::IpNet, Option<u32>), Fault> {
        let prefix = prefix(self.value.ok_or(Fault::Missing("value"))?)?;
        let seconds = |text: &str| {
            duration::seconds(text).map_err(|source| Fault::Duration { text: text.to_owned(), source })
        };
        Ok((prefix, self.duration.map(seconds).transpose()?))
    }
}

/// A string that still lies in the text it was read from, unless it was escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A decision, an alert or a stream: each has the fields of its kind.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    value: Option<Text<'a>>,
    #[serde(borrow, default)]
    scope: Option<Text<'a>>,
    #[serde(borrow, default, rename = "type")]
    measure: Option<Text<'a>>,
    #[serde(borrow, default)]
    duration: Option<Text<'a>>,
    #[serde(borrow, default)]
    scenario: Option<Text<'a>>,
    #[serde(borrow, default)]
    reason: Option<Text<'a>>,
    #[serde(default)]
    simulated: Option<bool>,
    #[serde(borrow, default, deserialize_with = "present")]
    decisions: Option<Option<Vec<Item<'a>>>>,
    #[serde(borrow, default, deserialize_with = "present")]
    new: Option<Option<Vec<Item<'a>>>>,
}

/// Tells `null` from nothing: an alert without decisions is no mistake.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub(super) fn read(text: &str, gather: &mut Gather) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map(|item| Some(vec![item]))
    } else {
        serde_json::from_str::<Option<Vec<Item>>>(text)
    };
    let mut place = Place { text, offset: 0, line: 1 };
    match read {
        Ok(items) => items.iter().flatten().for_each(|item| visit(item, &mut place, gather)),
        Err(error) => gather.fault(error.line(), Fault::Json(error.to_string())),
    }
}

/// As deep as the JSON library lets a text nest.
fn visit(item: &Item<'_>, place: &mut Place<'_>, gather: &mut Gather) {
    if item.decisions.is_some() || item.new.is_some() {
        let inner = [&item.decisions, &item.new];
        return inner.into_iter().flatten().flatten().flatten().for_each(|item| visit(item, place, gather));
    }
    let texts = [&item.value, &item.scope, &item.measure, &item.duration, &item.scenario, &item.reason];
    let line = texts.into_iter().flatten().fold(place.line, |line, text| place.advance(text).unwrap_or(line));
    let decision = Decision {
        value: content(&item.value),
        scope: content(&item.scope),
        measure: content(&item.measure),
        duration: content(&item.duration),
        reason: content(&item.scenario).or(content(&item.reason)),
        is_simulated: item.simulated == Some(true),
    };
    decision.gather(line, gather);
}

fn content<'a>(text: &'a Option<Text<'_>>) -> Option<&'a str> {
    text.as_ref().map(|text| &*text.0)
}

/// How far the text is walked through, so that its lines are counted once.
struct Place<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl Place<'_> {
    /// The line of a string that still lies in the text; the text's strings come in its order, or nearly.
    fn advance(&mut self, text: &Text<'_>) -> Option<usize> {
        let Cow::Borrowed(text) = text.0 else { return None };
        let offset = (text.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize)?;
        let passed = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.offset = self.offset.max(offset.min(self.text.len()));
        Some(self.line)
    }
}

//! One [[tenant]] -> its configuration, and the facts about it that other tenants must agree with.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::files::read_lists;
use super::mistake::Span;
use super::prefix::{parse_prefix, parse_service_address};
use super::read_node::{parse_file_name, read_rates, values};
use super::reader::Table;
use super::rule_paths::expand_rules;
use super::{OriginUrl, Source, TenantConfig, exclusion};
use crate::engine::Levels;
use crate::model::{Fqdn, Mode, TenantId};

const PARANOIA_MAX: u64 = 4;
const THRESHOLD_MAX: u64 = 1_000_000;

/// Fields of an answer that the proxy itself writes.
const OWN_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What is looked at across tenants, with its places. Absent where the value itself was wrong.
pub(super) struct TenantFacts {
    pub id: Option<Spanned<TenantId>>,
    pub fqdn: Option<Spanned<Fqdn>>,
    pub default: Option<Span>,
    pub addresses: Vec<Spanned<IpAddr>>,
    pub http_port: Spanned<u16>,
    /// Only where certificate and key are set.
    pub https_port: Option<Spanned<u16>>,
    pub workers: Vec<Spanned<u64>>,
}

pub(super) fn read(table: Table<'_>, folder: &Path) -> (Option<TenantConfig>, TenantFacts) {
    let mistakes = table.mistakes();
    table.require("id", "id = 1");
    let id = table.number("id", 1..=(1 << 31) - 1).and_then(|number| {
        let span = number.span();
        TenantId::new(number.into_inner()).ok().map(|id| Spanned::new(span, id))
    });
    table.require("fqdn", "fqdn = \"www.example.test\"");
    let fqdn = table.parsed("fqdn", Fqdn::new, "write the site's name, such as \"www.example.test\"");
    let default = table.flag("default", false);
    let addresses =
        read_required_list(&table, "addresses", parse_service_address, "addresses = [\"192.0.2.10\"]");
    let http_port = port(&table, "http_port", 80);
    let https_port = port(&table, "https_port", 443);
    let workers = table.numbers("workers", 0..=u64::from(u16::MAX));
    let (certificate, key) = read_identity(&table, folder);
    let origins =
        read_required_list(&table, "origins", OriginUrl::parse, "origins = [\"http://192.0.2.20:8080\"]");
    let trusted =
        table.parsed_list("trusted_proxies", parse_prefix, "write a prefix such as \"192.0.2.0/24\"");
    let allow = read_lists(&table.texts("allow"), folder, mistakes);
    let block = read_lists(&table.texts("block"), folder, mistakes);
    let modes = [("block", Mode::Block), ("detect", Mode::Detect), ("off", Mode::Off)];
    let mode = table.choice("mode", &modes).unwrap_or_default();
    let rules = read_rules(&table, folder);
    let levels = read_levels(&table);
    let response_bodies =
        table.has("response_bodies").then_some("response_bodies").map(|key| table.flag(key, false));
    let response_headers =
        table.table("response_headers", "response_headers").map(read_headers).unwrap_or_default();
    let exclusions =
        table.tables("exclusion", "[[tenant.exclusion]]").into_iter().filter_map(exclusion::read).collect();
    let contract = read_rates(&table, "contract", "[tenant] contract");
    let facts = TenantFacts {
        id: id.clone(),
        fqdn: fqdn.clone(),
        default: default.then(|| table.span_of("default")),
        addresses: addresses.clone(),
        http_port: http_port.clone(),
        https_port: certificate.is_some().then(|| https_port.clone()),
        workers: workers.clone(),
    };
    table.finish();
    let config = id.zip(fqdn).map(|(id, fqdn)| TenantConfig {
        id: id.into_inner(),
        fqdn: fqdn.into_inner(),
        default,
        addresses: values(addresses),
        http_port: http_port.into_inner(),
        https_port: https_port.into_inner(),
        workers: workers.iter().filter_map(|worker| u16::try_from(*worker.get_ref()).ok()).collect(),
        certificate,
        key,
        origins: values(origins),
        trusted_proxies: values(trusted),
        allow,
        block,
        mode,
        rules,
        levels,
        response_bodies,
        response_headers,
        exclusions,
        contract,
    });
    (config, facts)
}

/// A list that must be there and hold something.
fn read_required_list<T, E: std::fmt::Display>(
    table: &Table<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
    example: &str,
) -> Vec<Spanned<T>> {
    table.require(key, example);
    if table.is_empty_list(key) {
        table.mistakes().add(
            table.span_of(key),
            format!("`{key}` is empty"),
            format!("for example {example}"),
        );
    }
    table.parsed_list(key, parse, &format!("for example {example}"))
}

fn port(table: &Table<'_>, key: &'static str, default: u16) -> Spanned<u16> {
    let number = table.number(key, 1..=u64::from(u16::MAX));
    let port = number.and_then(|number| u16::try_from(number.into_inner()).ok()).unwrap_or(default);
    Spanned::new(table.span_of(key), port)
}

/// Certificate and key: both or neither.
fn read_identity(table: &Table<'_>, folder: &Path) -> (Option<Source>, Option<Source>) {
    let path =
        |key| table.parsed(key, parse_file_name, "write a path").map(|name| folder.join(name.into_inner()));
    let (certificate, key) = (path("certificate").map(Source::File), path("key").map(Source::File));
    for (there, other) in [("certificate", "key"), ("key", "certificate")] {
        if table.has(there) && !table.has(other) {
            let message = format!("`{there}` without `{other}`");
            table.mistakes().add(
                table.span_of(there),
                message,
                format!("add `{other}`, or take `{there}` out"),
            );
        }
    }
    (certificate, key)
}

fn read_levels(table: &Table<'_>) -> Levels {
    let number = |key, max| table.number(key, 1..=max).map(toml::Spanned::into_inner);
    let threshold = |key| number(key, THRESHOLD_MAX).and_then(|number| u32::try_from(number).ok());
    Levels {
        paranoia_level: number("paranoia_level", PARANOIA_MAX).and_then(|level| u8::try_from(level).ok()),
        inbound_threshold: threshold("inbound_threshold"),
        outbound_threshold: threshold("outbound_threshold"),
    }
}

/// None where the key is not set.
pub(super) fn read_rules(table: &Table<'_>, folder: &Path) -> Option<Vec<PathBuf>> {
    let entries = table.texts("rules");
    let mut files = Vec::new();
    for entry in entries {
        match expand_rules(folder, entry.get_ref()) {
            Ok(found) if found.is_empty() => {
                let message = format!("no file matches {:?} in {}", entry.get_ref(), shown(folder));
                table.mistakes().add(entry.span(), message, "relative paths start from node.toml's folder");
            }
            Ok(found) => files.extend(found),
            Err(error) => {
                table.mistakes().add(
                    entry.span(),
                    format!("cannot look for {:?}: {error}", entry.get_ref()),
                    "",
                );
            }
        }
    }
    table.has("rules").then_some(files)
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "this folder".to_owned() } else { folder.display().to_string() }
}

fn read_headers(table: Table<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in table.free_texts() {
        let token = !name.get_ref().is_empty() && name.get_ref().bytes().all(is_token);
        if !token {
            let message = format!("{:?} is no field name", name.get_ref());
            table.mistakes().add(name.span(), message, "a field name has letters, digits and -");
        } else if OWN_HEADERS.contains(&name.get_ref().to_ascii_lowercase().as_str()) {
            let message = format!("`{}` is the proxy's own to write", name.get_ref());
            table.mistakes().add(name.span(), message, "take it out");
        } else if value.get_ref().chars().any(char::is_control) {
            let message = format!("value of `{}` holds a control character", name.get_ref());
            table.mistakes().add(value.span(), message, "a field value is one line of visible characters");
        } else {
            headers.push(((*name.get_ref()).to_owned(), (*value.get_ref()).to_owned()));
        }
    }
    headers
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

//! Who the visitor is, and the heads that are written anew: towards the origin with what we know of the visitor, towards
//! the visitor with what the site adds. Nothing is passed on that was not parsed.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::Site;
use super::limits::FORWARDED_ELEMENTS_MAX;
use super::session::Session;
use crate::event::EventId;
use crate::http::{Field, Fields, Framing, HeadWriter, RequestHead, ResponseHead, Version};

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visitor {
    /// The port is 0 where a proxy in front hides it.
    pub address: SocketAddr,
    /// The peer is one of the site's trusted proxies.
    pub behind_proxy: bool,
    /// The address itself lies in a trusted proxy list: never to be banned.
    pub is_proxy: bool,
}

impl Visitor {
    /// The peer itself or, behind a trusted proxy, the rightmost address of X-Forwarded-For that is none of the site's
    /// proxies. An element that is no address ends the search: what stands left of it cannot be trusted.
    pub(super) fn of(peer: SocketAddr, fields: &Fields, trusted: &[IpNet]) -> Self {
        let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
        let peer_ip = peer.ip().to_canonical();
        if !is_trusted(peer_ip) {
            let address = SocketAddr::new(peer_ip, peer.port());
            return Self { address, behind_proxy: false, is_proxy: false };
        }
        let mut visitor = peer_ip;
        let elements: Vec<&[u8]> = fields.elements("x-forwarded-for").collect();
        for element in elements.iter().rev().take(FORWARDED_ELEMENTS_MAX) {
            let Some(ip) = element_address(element) else { break };
            visitor = ip;
            if !is_trusted(ip) {
                break;
            }
        }
        let port = if visitor == peer_ip { peer.port() } else { 0 };
        let address = SocketAddr::new(visitor, port);
        Self { address, behind_proxy: true, is_proxy: is_trusted(visitor) }
    }
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn element_address(element: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(element).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(ip.to_canonical())
}

/// How the body goes on to the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpstreamBody {
    None,
    Length(u64),
    Chunked,
}

/// What the upstream head says of the way the request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    pub session: &'a Session,
    pub visitor: Visitor,
    pub id: EventId,
    /// The answer's body may be inspected: it is asked for without a coding.
    pub plain_answer: bool,
}

/// The request as the origin gets it.
/// `buffer`: an empty one to write into.
pub(super) fn upstream_head(
    buffer: Vec<u8>,
    head: &RequestHead,
    site: &Site,
    way: &Way<'_>,
    body: UpstreamBody,
) -> Vec<u8> {
    let mut out = HeadWriter::request_in(buffer, head.method(), head.path_and_query());
    let host = head.host().map_or(site.fqdn.as_str(), |host| host.text());
    out.parsed(Field { name: "Host", value: host.as_bytes() });
    let fields = head.fields();
    let behind_proxy = way.visitor.behind_proxy;
    for field in fields.iter() {
        let name = field.name;
        let written_below =
            ["host", "content-length", "expect"].iter().any(|own| name.eq_ignore_ascii_case(own));
        let encoding = way.plain_answer && name.eq_ignore_ascii_case("accept-encoding");
        let forwarded = match forwarding_name(name) {
            Some(Forwarding::Ours) => true,
            Some(Forwarding::Proxys) => !behind_proxy,
            None => false,
        };
        if !written_below && !encoding && !forwarded && !fields.is_hop_by_hop(name) {
            out.parsed(field);
        }
    }
    if way.plain_answer {
        out.field("Accept-Encoding", b"identity");
    }
    way_fields(&mut out, fields, way);
    match body {
        UpstreamBody::None => {}
        UpstreamBody::Length(length) => out.content_length(length),
        UpstreamBody::Chunked => out.chunked(),
    }
    out.finish()
}

/// X-Forwarded-For, -Proto, -Port, X-Real-IP and the request's id.
fn way_fields(out: &mut HeadWriter, fields: &Fields, way: &Way<'_>) {
    // All of it was parsed or made here.
    let Way { session, visitor, id, plain_answer: _ } = way;
    let peer = session.peer_text();
    if visitor.behind_proxy {
        let mut chain = Vec::new();
        for element in fields.elements("x-forwarded-for").filter(|element| !element.is_empty()) {
            chain.extend_from_slice(element);
            chain.extend_from_slice(b", ");
        }
        chain.extend_from_slice(peer.as_bytes());
        out.parsed(Field { name: "X-Forwarded-For", value: &chain });
    } else {
        out.parsed(Field { name: "X-Forwarded-For", value: peer.as_bytes() });
    }
    let given = |name| visitor.behind_proxy && fields.first(name).is_some() && !fields.is_hop_by_hop(name);
    if !given("x-forwarded-proto") {
        out.parsed(Field {
            name: "X-Forwarded-Proto",
            value: if session.sni.is_some() { b"https" } else { b"http" },
        });
    }
    if !given("x-forwarded-port") {
        out.parsed(Field { name: "X-Forwarded-Port", value: session.port_text().as_bytes() });
    }
    if visitor.address.ip() == session.peer.ip() {
        out.parsed(Field { name: "X-Real-IP", value: peer.as_bytes() });
    } else {
        out.parsed(Field { name: "X-Real-IP", value: visitor.address.ip().to_string().as_bytes() });
    }
    out.parsed(Field { name: "X-Request-Id", value: &id.hex() });
}

/// Fields that say how a request came.
enum Forwarding {
    /// Written by us or not at all.
    Ours,
    /// Kept from a trusted proxy.
    Proxys,
}

/// `_` counts as `-`: an origin that makes environment variables of fields cannot tell them apart. No proxy spells them
/// so, but one may pass on what its visitor spelt.
fn forwarding_name(name: &str) -> Option<Forwarding> {
    // Most names are told by their first letter.
    if !matches!(name.as_bytes().first(), Some(b'X' | b'x' | b'F' | b'f')) {
        return None;
    }
    if ["x-forwarded-for", "x-real-ip", "x-request-id"].iter().any(|ours| is_spelt(name, ours)) {
        return Some(Forwarding::Ours);
    }
    if name.get(..FORWARDED.len()).is_some_and(|start| is_spelt(start, FORWARDED)) {
        return Some(if name.contains('_') { Forwarding::Ours } else { Forwarding::Proxys });
    }
    is_spelt(name, "forwarded").then_some(Forwarding::Proxys)
}

const FORWARDED: &str = "x-forwarded-";

/// Whether a name is `real`, in whatever case and with `_` for `-`.
fn is_spelt(name: &str, real: &str) -> bool {
    name.len() == real.len()
        && name.bytes().zip(real.bytes()).all(|(byte, real)| {
            let byte = if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
            byte == real
        })
}

/// How the body goes on to the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DownstreamBody {
    /// None; a Content-Length of the origin's (HEAD, 304) is told all the same.
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

impl DownstreamBody {
    /// Chunks are for HTTP/1.1 only.
    pub(super) fn of(framing: Framing, version: Version) -> Self {
        match framing {
            Framing::None => Self::None,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked | Framing::UntilClose if version == Version::Http11 => Self::Chunked,
            Framing::Chunked | Framing::UntilClose => Self::UntilClose,
        }
    }
}

/// The site's own additions; framing stays ours whatever is configured.
pub(super) fn write_added(out: &mut HeadWriter, added: &[(String, String)]) {
    const OURS: [&str; 3] = ["content-length", "transfer-encoding", "connection"];
    for (name, value) in
        added.iter().filter(|(name, _)| !OURS.iter().any(|own| name.eq_ignore_ascii_case(own)))
    {
        out.field(name, value.as_bytes());
    }
}

/// The response as the visitor gets it. `keep`: the connection lives on; HTTP/1.0 has to be told.
/// `buffer`: an empty one to write into.
pub(super) fn downstream_head(
    buffer: Vec<u8>,
    head: &ResponseHead,
    added: &[(String, String)],
    body: DownstreamBody,
    version: Version,
    keep: bool,
) -> Vec<u8> {
    let mut out = HeadWriter::response_in(buffer, head.status(), head.phrase());
    let fields = head.fields();
    for field in fields.iter() {
        let replaced = added.iter().any(|(name, _)| field.name.eq_ignore_ascii_case(name));
        let length = field.name.eq_ignore_ascii_case("content-length");
        let length_kept = body == DownstreamBody::None && head.status() != 204;
        if !replaced && (!length || length_kept) && !fields.is_hop_by_hop(field.name) {
            out.parsed(field);
        }
    }
    write_added(&mut out, added);
    match (keep, version) {
        (false, _) => out.field("Connection", b"close"),
        (true, Version::Http10) => out.field("Connection", b"keep-alive"),
        (true, Version::Http11) => {}
    }
    match body {
        DownstreamBody::Length(length) => out.content_length(length),
        DownstreamBody::Chunked => out.chunked(),
        DownstreamBody::None | DownstreamBody::UntilClose => {}
    }
    out.finish()
}

//! What hostile and broken clients send to a node that serves: clear answers, nothing dies, management unharmed.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use waf_tests::frames::{Frame, SYN, VLAN};
use waf_tests::namespace::inside;
use waf_tests::wire;
use xtask::demo::evidence::{requests, sum};
use xtask::interrupt;
use xtask::lab::settings::{ONE, SHADOW, SHOP, WWW};
use xtask::lab::topology::EDGE;
use xtask::lab::{Carrier, Lab, LabOptions, Request, Scheme};

use crate::stage;

const PATIENCE: Duration = Duration::from_secs(5);

/// What a node answers to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Status(u16),
    /// Closed without a byte of HTTP.
    Nothing,
}

/// Sends bytes, ends the sending side, and reads until the node closes.
fn talk(lab: &Lab, port: u16, bytes: &[u8]) -> Result<Said> {
    let target = SocketAddr::new(Carrier::A.service(10), port);
    let answer = inside(lab.client_namespace(), || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&target, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // The node may refuse and close before it has read everything.
        let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => Err(error),
            _ => Ok(answer),
        }
    })?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    Ok(status.map_or(Said::Nothing, Said::Status))
}

/// The same process still serves, and its management address still answers.
fn unharmed(lab: &Lab, pid: Option<u32>) -> Result<()> {
    let now = lab.node(Carrier::A).daemon().map(|daemon| daemon.pid());
    ensure!(
        now == pid && lab.node(Carrier::A).process_status("State").is_ok(),
        "the node is another: {now:?}"
    );
    for (scheme, address) in
        [(Scheme::Http, Carrier::A.service(10)), (Scheme::Https, Carrier::A.service6(10))]
    {
        let answer = lab.client().answer(&Request::get(scheme, WWW, address, "/hello"))?;
        ensure!(answer.status == 200, "a clean request is answered {}", answer.status);
    }
    management_answers(lab)
}

/// A listener on the carrier's own address, which is no service, is reached from the client.
fn management_answers(lab: &Lab) -> Result<()> {
    let carrier = lab.carrier_namespace(Carrier::A);
    let listener = inside(carrier, || TcpListener::bind((Carrier::A.edge(), 0)))?;
    let address = listener.local_addr()?;
    inside(lab.client_namespace(), || TcpStream::connect_timeout(&address, PATIENCE))
        .context("management address")?;
    Ok(())
}

fn pid(lab: &Lab) -> Option<u32> {
    lab.node(Carrier::A).daemon().map(|daemon| daemon.pid())
}

#[test]
fn garbage_for_http_is_refused_and_the_node_lives() {
    let host = "Host: www.example.test\r\n";
    let long_target = format!("GET /{} HTTP/1.1\r\n{host}\r\n", "a".repeat(9 * 1024));
    let long_header = format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "a".repeat(40 * 1024));
    let many_fields = format!("GET / HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(101));
    let smuggled =
        format!("POST / HTTP/1.1\r\n{host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    let two_lengths = format!("POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab");
    let bare_lf = format!("GET / HTTP/1.1\n{host}\n");
    let folded = format!("GET / HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n");
    let null = format!("GET / HTTP/1.1\r\n{host}X: a\0b\r\n\r\n");
    let bad_chunk =
        format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n");
    let rows: &[(&str, &[u8], Said)] = &[
        ("nothing at all", b"", Said::Nothing),
        ("half a request line", b"GET / HT", Said::Status(400)),
        ("random bytes", b"\x00\xff\x13\x37\r\n\r\n", Said::Status(400)),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", Said::Status(400)),
        ("HTTP/0.9", b"GET /\r\n\r\n", Said::Status(505)),
        ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Said::Status(505)),
        ("no Host", b"GET / HTTP/1.1\r\n\r\n", Said::Status(400)),
        ("two Hosts", b"GET / HTTP/1.1\r\nHost: www.example.test\r\nHost: x.test\r\n\r\n", Said::Status(400)),
        ("CONNECT", b"CONNECT x.test:443 HTTP/1.1\r\nHost: x.test:443\r\n\r\n", Said::Status(501)),
        ("long request line", long_target.as_bytes(), Said::Status(414)),
        ("long header block", long_header.as_bytes(), Said::Status(431)),
        ("101 fields", many_fields.as_bytes(), Said::Status(431)),
        ("length and chunked", smuggled.as_bytes(), Said::Status(400)),
        ("two lengths", two_lengths.as_bytes(), Said::Status(400)),
        ("bare line feeds", bare_lf.as_bytes(), Said::Status(400)),
        ("folded field", folded.as_bytes(), Said::Status(400)),
        ("NUL in a value", null.as_bytes(), Said::Status(400)),
        ("hexadecimal prefix of a chunk", bad_chunk.as_bytes(), Said::Status(400)),
    ];
    stage::with_lab(LabOptions::default(), |lab| {
        let pid = pid(lab);
        for (name, bytes, expected) in rows {
            let said = talk(lab, 80, bytes).context(*name)?;
            ensure!(said == *expected, "{name}: {said:?}, expected {expected:?}");
        }
        unharmed(lab, pid)
    });
}

#[test]
fn truncated_and_foreign_tls_ends_the_connection_alone() {
    stage::with_lab(LabOptions::default(), |lab| {
        let pid = pid(lab);
        let hello = client_hello(WWW);
        for len in 0..hello.len() {
            let said = talk(lab, 443, hello.get(..len).unwrap_or_default())?;
            ensure!(said == Said::Nothing, "{len} bytes of a hello are answered {said:?}");
        }
        let rows: &[(&str, &[u8])] = &[
            ("HTTP on the TLS port", b"GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n"),
            ("random bytes", b"\x13\x37\x00\xff\xff\xff\xff\xff"),
            ("a record longer than records may be", b"\x16\x03\x01\xff\xff\x01"),
            ("an alert first", b"\x15\x03\x03\x00\x02\x02\x28"),
        ];
        for (name, bytes) in rows {
            let said = talk(lab, 443, bytes).context(*name)?;
            ensure!(said == Said::Nothing, "{name}: {said:?}");
        }
        unharmed(lab, pid)
    });
}

/// A TLS 1.2 hello with one cipher suite and a server name: enough to be parsed, in one record.
fn client_hello(name: &str) -> Vec<u8> {
    let name_len = name.len() as u16;
    let mut extension = vec![0, 0];
    extension.extend((name_len + 5).to_be_bytes());
    extension.extend((name_len + 3).to_be_bytes());
    extension.push(0);
    extension.extend(name_len.to_be_bytes());
    extension.extend(name.as_bytes());
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x2f, 1, 0]);
    body.extend((extension.len() as u16).to_be_bytes());
    body.extend(extension);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut record = vec![0x16, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

/// How a request is answered where SNI, Host and address are each another's.
#[test]
fn sni_host_and_address_must_agree() {
    let a = Carrier::A;
    let plain = |fqdn: &str, host: u8| Request::get(Scheme::Http, fqdn, a.service(host), "/hello");
    let tls = |fqdn: &str, host: u8| Request::get(Scheme::Https, fqdn, a.service(host), "/hello");
    let naming = |mut request: Request, host: &str| {
        request.headers.push(format!("Host: {host}"));
        request
    };
    let rows = [
        ("its own address", plain(WWW, 10), Some(200)),
        ("another tenant's address", plain(WWW, 11), Some(421)),
        ("a name that nobody has", plain("nobody.example.test", 10), Some(421)),
        ("no name but the address", naming(plain(WWW, 10), "10.1.0.10"), Some(421)),
        ("a neighbour on the shared address", plain(SHADOW, 20), Some(200)),
        ("TLS at its own address", tls(WWW, 10), Some(200)),
        ("SNI at another tenant's address", tls(WWW, 11), None),
        ("SNI that nobody has", tls("nobody.example.test", 10), None),
        ("SNI of one, Host of another, shared address", naming(tls(ONE, 20), SHADOW), Some(421)),
        ("SNI of one, Host of another tenant", naming(tls(WWW, 10), SHOP), Some(421)),
    ];
    stage::with_lab(LabOptions::default(), |lab| {
        let pid = pid(lab);
        for (name, request, expected) in &rows {
            let status = lab.client().send(request)?.map(|answer| answer.status);
            ensure!(status == *expected, "{name}: {status:?}, expected {expected:?}");
        }
        // What the lab itself asks the origin has no request id.
        let mut arrived = lab.origin().arrived()?;
        arrived.retain(|line| !line.contains("request_id= "));
        ensure!(arrived.len() == 3, "3 requests were the origin's own, these arrived: {arrived:#?}");
        let misdirected = || -> Result<usize> {
            Ok(requests(lab.node(a))?.iter().filter(|record| record["status"] == 421).count())
        };
        // A thread of its own writes the log.
        interrupt::until("5 misdirected requests in the log", PATIENCE, || {
            Ok((misdirected()? >= 5).then_some(()))
        })?;
        let refused = misdirected()?;
        ensure!(refused == 5, "{refused} requests are logged as misdirected, 5 were");
        unharmed(lab, pid)
    });
}

#[test]
fn malformed_frames_are_counted_and_harm_nobody() {
    stage::with_lab(LabOptions::default(), |lab| {
        let pid = pid(lab);
        let (visitor, service) = (Carrier::A.client(2), Carrier::A.service(10));
        let node = inside(lab.carrier_namespace(Carrier::A), || wire::hardware_address(EDGE))?;
        let frames = malformed(node, visitor, service);
        let before = sum(&lab.node(Carrier::A).map("COUNTERS")?, "drop_malformed");
        inside(lab.client_namespace(), || wire::send(Carrier::A.client_device(), &frames))?;
        let after = sum(&lab.node(Carrier::A).map("COUNTERS")?, "drop_malformed");
        ensure!(after > before, "none of {} malformed frames was counted", frames.len());
        unharmed(lab, pid)
    });
}

/// A SYN cut at every length, and one with each header byte set to nonsense.
fn malformed(node: [u8; 6], visitor: IpAddr, service: IpAddr) -> Vec<Vec<u8>> {
    let mut syn = Frame::tcp((visitor, 40_000), (service, 80), SYN);
    syn.mac_destination = node;
    let (plain, tagged) = (syn.build(), syn.tag(VLAN, 7).build());
    let mut frames = Vec::new();
    for whole in [&plain, &tagged] {
        // Below 14 bytes the kernel refuses to send it.
        frames.extend((14..whole.len()).map(|len| whole[..len].to_vec()));
        for at in 12..whole.len() {
            let mut frame = whole.clone();
            frame[at] ^= 0xff;
            frames.push(frame);
        }
    }
    frames
}

//! Bodies made to cost: bounded time and a stated verdict for each. The deadline is generous on purpose: a quadratic
//! step would miss it by far.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Request, refusal, run, starter};

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn bodies_end_with_a_stated_verdict() {
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let long = |text: &str| text.repeat(65_536 / text.len());
    let xml = "text/xml";
    let entities: String = (1..40).map(|n| format!("<!ENTITY e{n} \"&e{};&e{};\">", n - 1, n - 1)).collect();
    let bomb = format!("<!DOCTYPE a SYSTEM \"x\" [<!ENTITY e0 \"lol\">{entities}]><a>&e39;</a>");
    let attributes = format!("<a>{}</a>", "<b c='1'/>".repeat(10_000));
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let rows = [
        ("one long value", Request::post(form, format!("a={}", long("x"))), None),
        ("prefixes of a comparison", Request::post(form, format!("a={}", long("' or "))), None),
        ("open brackets", Request::post(form, format!("a={}", long("<a "))), None),
        ("entities", Request::post(form, format!("a={}", long("%26%23"))), None),
        ("backslashes", Request::post(json, format!("\"{}\"", long("\\\\"))), None),
        ("comments", Request::post(form, format!("a={}", long("/*"))), None),
        ("dots", Request::post(form, format!("a={}", long("..;"))), None),
        ("10,000 arguments", Request::post(form, "a=1&".repeat(10_000)), Some((100_110, 400))),
        ("10,000 leaves", Request::post(json, format!("[{}1]", "1,".repeat(10_000))), Some((100_110, 400))),
        ("nested 100,000 deep", Request::post(json, "[".repeat(100_000)), Some((100_110, 400))),
        ("objects in objects", Request::post(json, "{\"a\":".repeat(20_000)), Some((100_110, 400))),
        (
            "10,000 parts",
            Request::post("multipart/form-data; boundary=b", part.repeat(2_500)),
            Some((100_110, 400)),
        ),
        ("gzip bomb", zipped(), None),
        ("no gzip", Request::post(json, "{}").header("Content-Encoding", "gzip"), Some((100_110, 400))),
        ("entity bomb", Request::post(xml, bomb), Some((100_110, 400))),
        ("elements in elements", Request::post(xml, "<a>".repeat(20_000)), Some((100_110, 400))),
        ("10,000 attributes", Request::post(xml, attributes), Some((100_110, 400))),
        ("past the limit, JSON", Request::post(json, format!("[\"{}\"]", "x".repeat(200_000))), None),
        ("past the limit, form", Request::post(form, format!("a={}", "x".repeat(200_000))), None),
        ("random bytes", Request::post("text/plain", pseudo_random(65_536)), None),
    ];
    let rules = starter();
    for (name, request, expected) in rows {
        let started = Instant::now();
        let transaction = run(&rules, &request);
        assert!(started.elapsed() < DEADLINE, "{name} took {:?}", started.elapsed());
        assert_eq!(refusal(&transaction), expected, "{name}");
    }
}

/// 50 MiB of one byte as a form.
fn zipped() -> Request {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&vec![b'x'; 50 * 1024 * 1024]).expect("writes to memory");
    let body = encoder.finish().expect("ends in memory");
    Request::post("application/x-www-form-urlencoded", body).header("Content-Encoding", "gzip")
}

/// A linear congruential sequence: the same bytes in every run.
fn pseudo_random(length: usize) -> Vec<u8> {
    let mut state = 12_345_u32;
    let step = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let [high, ..] = state.to_be_bytes();
        high
    };
    std::iter::repeat_with(step).take(length).collect()
}

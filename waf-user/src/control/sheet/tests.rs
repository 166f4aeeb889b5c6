//! Sheets as customers write them, good and bad, in both syntaxes.

use super::*;
use crate::tls::fixtures::Authority;

/// 2026-11-25, when the certificates of the fixtures are valid.
pub const NOW: Wall = Wall(1_795_564_800_000);

const PLAIN: &str = r#"
fqdn = "www.example.jp"
origins = ["http://192.0.2.20:8080"]
[peak]
requests_s = 500
mbit_s = 200
"#;

fn toml(text: &str) -> Result<Submission, SheetErrors> {
    parse(text, Format::Toml, NOW)
}

/// Field and text of each mistake.
fn mistakes(text: &str) -> Vec<(String, String)> {
    let errors = toml(text).map(|it| it.sheet).unwrap_err();
    errors.0.iter().map(|error| (error.field.clone(), error.to_string())).collect()
}

/// A sheet with a table [tls].
fn uploaded(fqdn: &str, chain: &str, key: &str) -> Result<Submission, SheetErrors> {
    let text = serde_json::json!({
        "fqdn": fqdn,
        "origins": ["https://origin.example.jp"],
        "peak": { "requests_s": 500, "mbit_s": 200, "handshakes_s": 50 },
        "tls": { "chain": chain, "key": key },
    });
    parse(&text.to_string(), Format::Json, NOW)
}

#[test]
fn contract_1_a_sheet_comes_in_as_file_or_by_api() {
    let file = toml(PLAIN).unwrap();
    let api = r#"{"fqdn":"www.example.jp","tls":"none","origins":["http://192.0.2.20:8080/"],
        "peak":{"mbit_s":200,"requests_s":500},"residency":"jp","options":{"mode":"block"}}"#;
    let api = parse(api, Format::Json, NOW).unwrap();
    assert_eq!(file.sheet, api.sheet);
    assert!(file.upload.is_none());
    assert_eq!(file.sheet.fqdn.as_str(), "www.example.jp");
    assert_eq!(file.sheet.peak, Rates { requests_s: 500, mbit_s: 200, handshakes_s: 0 });
    assert_eq!(file.sheet.residency, Residency::JP, "the default");
    assert_eq!(file.sheet.options, Options::default());
}

#[test]
fn contract_idn_names_become_a_labels() {
    let table = [
        ("U-labels", "www.例え.jp", Some("www.xn--r8jz45g.jp")),
        ("a dot of the other kind", "www。例え。jp", Some("www.xn--r8jz45g.jp")),
        ("upper case", "WWW.Bücher.Example", Some("www.xn--bcher-kva.example")),
        ("A-labels", "xn--r8jz45g.jp", Some("xn--r8jz45g.jp")),
        ("final dot", "www.example.jp.", Some("www.example.jp")),
        ("punycode of nothing", "xn--zzzzzzz99999.jp", None),
        ("a space", "例 え.jp", None),
        ("one label", "localhost", None),
        ("wildcard", "*.example.jp", None),
        ("address", "192.0.2.1", None),
        ("port", "www.example.jp:443", None),
        ("nothing", "", None),
    ];
    for (name, text, expected) in table {
        let found = toml(&PLAIN.replace("www.example.jp", text));
        let found = found.as_ref().map(|it| it.sheet.fqdn.as_str());
        assert_eq!(found.ok(), expected, "{name}");
    }
    assert_eq!(mistakes(&PLAIN.replace("www.example.jp", &"例".repeat(400)))[0].0, "fqdn");
}

#[test]
fn contract_1_acme_is_refused_with_not_yet() {
    let found = mistakes(&format!("tls = \"acme\"\n{PLAIN}"));
    let expected = "tls: \"acme\" is not yet served; upload a certificate: a table [tls] with chain and key";
    assert_eq!(found, [("tls".to_owned(), expected.to_owned())]);
}

#[test]
fn all_mistakes_come_at_once_with_field_value_and_cure() {
    let text = r#"
fqdn = "www_example"
tls = 7
origins = ["ftp://192.0.2.20", 5, "http://a.example", "http://a.example:80"]
residency = "Japan"
colour = "red"
[peak]
requests_s = 0
mbit_s = -1
handshake_s = 3
[options]
mode = "learn"
paranoia = 5
"#;
    let found = mistakes(text);
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    let expected = [
        "colour",
        "fqdn",
        "tls",
        "origins[0]",
        "origins[1]",
        "origins[3]",
        "peak.handshake_s",
        "peak.requests_s",
        "peak.mbit_s",
        "residency",
        "options.mode",
        "options.paranoia",
    ];
    assert_eq!(fields, expected);
    let expected = "peak.requests_s: 0 is out of range; write a whole number from 1 to 10,000,000";
    assert_eq!(found[7].1, expected);
    assert!(toml(text).unwrap_err().to_string().ends_with("12 mistakes in the sheet"));
}

#[test]
fn bounds_have_two_sides() {
    let origins = |n: usize| {
        let list: Vec<String> = (0..n).map(|at| format!("\"http://192.0.2.{at}\"")).collect();
        PLAIN.replace("\"http://192.0.2.20:8080\"", &list.join(","))
    };
    let table = [
        ("most requests", PLAIN.replace("500", "10000000"), None),
        ("too many requests", PLAIN.replace("500", "10000001"), Some("peak.requests_s")),
        ("requests with a fraction", PLAIN.replace("500", "0.5"), Some("peak.requests_s")),
        ("requests as text", PLAIN.replace("500", "\"500\""), Some("peak.requests_s")),
        ("beyond 64 bits", PLAIN.replace("500", "99999999999999999999"), Some("the sheet")),
        ("most bandwidth", PLAIN.replace("200", "1000000"), None),
        ("too much bandwidth", PLAIN.replace("200", "1000001"), Some("peak.mbit_s")),
        ("no bandwidth", PLAIN.replace("mbit_s = 200", ""), Some("peak.mbit_s")),
        ("no peak", PLAIN.split("[peak]").next().unwrap().to_owned(), Some("peak")),
        ("handshakes without TLS", format!("{PLAIN}handshakes_s = 1"), Some("peak.handshakes_s")),
        ("no handshakes without TLS", format!("{PLAIN}handshakes_s = 0"), None),
        ("sixteen origins", origins(16), None),
        ("seventeen origins", origins(17), Some("origins")),
        ("no origin", origins(0), Some("origins")),
        ("origins as text", PLAIN.replace("[\"", "\"").replace("\"]", "\""), Some("origins")),
        ("an origin of any length", PLAIN.replace("192.0.2.20", &"a".repeat(300)), Some("origins[0]")),
        ("a key twice", format!("fqdn = \"a.jp\"\n{PLAIN}"), Some("the sheet")),
        ("no TOML", "fqdn = [".to_owned(), Some("the sheet")),
        ("nothing", String::new(), Some("fqdn")),
        ("too large", format!("{PLAIN}# {}", "x".repeat(256 * 1024)), Some("the sheet")),
        ("not a country of two letters", format!("residency = \"jpn\"\n{PLAIN}"), Some("residency")),
        ("another country", format!("residency = \"de\"\n{PLAIN}"), None),
    ];
    for (name, text, expected) in table {
        let found = toml(&text).map(|_| ()).map_err(|errors| errors.0[0].field.clone());
        assert_eq!(found.err().as_deref(), expected, "{name}");
    }
}

#[test]
fn json_has_its_own_traps() {
    let table = [
        ("a key twice", r#"{"fqdn":"a.jp","fqdn":"b.jp"}"#),
        ("a list", "[1]"),
        ("a word", "null"),
        ("no JSON", "{"),
        ("nested without end", &"[".repeat(100_000)),
    ];
    for (name, text) in table {
        let errors = parse(text, Format::Json, NOW).map(|it| it.sheet).unwrap_err();
        assert_eq!(errors.0.len(), 1, "{name}");
        assert_eq!(errors.0[0].field, "the sheet", "{name}");
    }
}

#[test]
fn contract_1_an_upload_is_checked_plainly() {
    let authority = Authority::new();
    let (chain, key) = authority.issue(&["www.example.jp"]);
    let (other_chain, other_key) = authority.issue(&["www.example.jp"]);
    let submission = uploaded("www.example.jp", &chain, &key).unwrap();
    let upload = submission.upload.unwrap();
    assert_eq!(submission.sheet.tls, Tls::Upload(upload.certificate));
    assert_eq!(upload.key.reveal(), key);
    assert_eq!(submission.sheet.peak.handshakes_s, 50);
    let again = uploaded("www.example.jp", &chain, &key).unwrap();
    assert_eq!(again.sheet, submission.sheet, "the same upload is the same sheet");
    let other = uploaded("www.example.jp", &other_chain, &other_key).unwrap();
    assert_ne!(other.sheet.tls, submission.sheet.tls);

    let whole = format!("{chain}{}", authority.pem());
    let backwards = format!("{}{chain}", authority.pem());
    let table = [
        ("with its issuer", "www.example.jp", whole.as_str(), key.as_str(), None),
        ("another name", "www.example.com", &chain, &key, Some(("tls.chain", "does not cover"))),
        ("another key", "www.example.jp", &chain, &other_key, Some(("tls", "does not belong"))),
        ("no chain", "www.example.jp", "", &key, Some(("tls", "holds no certificate"))),
        ("no key", "www.example.jp", &chain, &chain, Some(("tls", "holds no private key"))),
        ("root first", "www.example.jp", &backwards, &key, Some(("tls", "does not belong"))),
        (
            "a stranger behind",
            "www.example.jp",
            &format!("{chain}{}", stranger()),
            &key,
            Some(("tls.chain", "did not issue")),
        ),
    ];
    for (name, fqdn, chain, key, expected) in table {
        match (uploaded(fqdn, chain, key), expected) {
            (Ok(_), None) => {}
            (Err(errors), Some((field, what))) => {
                assert_eq!(errors.0.len(), 1, "{name}: {errors}");
                assert_eq!(errors.0[0].field, field, "{name}: {errors}");
                assert!(errors.0[0].what.contains(what), "{name}: {errors}");
                let secret = key.lines().nth(1).unwrap_or("-----");
                assert!(!errors.to_string().contains(secret), "{name}: no PEM in messages");
            }
            (found, _) => panic!("{name}: {:?}", found.map(|it| it.sheet)),
        }
    }
}

/// A certificate whose name is nobody's issuer.
fn stranger() -> String {
    let mut params = rcgen::CertificateParams::new(vec!["stranger.example".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "a stranger");
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

#[test]
fn dates_are_held_against_the_time_given() {
    // rcgen's default: valid from 1975 to 4096.
    let (chain, key) = Authority::new().issue(&["www.example.jp"]);
    let fqdn = Fqdn::new("www.example.jp").unwrap();
    let upload = |now| Upload::new(&chain, &key, Some(&fqdn), now);
    let ends = upload(NOW).unwrap().certificate.ends;
    let table = [
        ("long before", Wall(0), Some("is valid from 1975-01-01 on only")),
        ("the last moment", Wall(ends.0 - 1), None),
        ("the end", ends, Some("ended on 4096-01-01")),
    ];
    for (name, now, expected) in table {
        let found = upload(now).map_err(|refused| refused[0].what.clone());
        match expected {
            None => assert!(found.is_ok(), "{name}"),
            Some(text) => assert!(found.unwrap_err().contains(text), "{name}"),
        }
    }
}

#[test]
fn secrets_show_themselves_to_nobody() {
    let (chain, key) = Authority::new().issue(&["www.example.jp"]);
    let submission = uploaded("www.example.jp", &chain, &key).unwrap();
    let shown = format!("{submission:?}");
    assert!(!shown.contains("PRIVATE") && !shown.contains(&key[40..80]), "{shown}");
    // A key where a certificate belongs, and more: no part of it is repeated.
    for (chain, key) in [(key.as_str(), chain.as_str()), (key.as_str(), key.as_str())] {
        let errors = uploaded("www.example.jp", chain, key).map(|it| it.sheet).unwrap_err();
        assert!(!errors.to_string().contains(&key[40..80]), "{errors}");
    }
}

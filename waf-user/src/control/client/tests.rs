//! The client against small servers on loopback that answer what they are told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::thread::JoinHandle;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Client, ClientError, ControlUrl, Limits, read_token};
use crate::secret::Secret;
use crate::tls::fixtures::{Authority, on_loopback};

fn client(address: SocketAddr, limits: Limits) -> Client {
    let url = format!("http://{address}").parse().unwrap();
    Client::new(url, None, Secret::new("waf_secret".to_owned()), limits).unwrap()
}

/// Answers on one connection with one text after another; gives what was asked.
fn server(answers: Vec<String>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        answers
            .into_iter()
            .map(|answer| {
                let asked = read_request(&mut stream);
                stream.write_all(answer.as_bytes()).unwrap();
                asked
            })
            .collect()
    });
    (address, thread)
}

/// Head and content of a request with Content-Length.
fn read_request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, content)) = text.split_once("\r\n\r\n") {
            let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if content.len() >= len.map_or(0, |len| len.parse().unwrap()) {
                return text;
            }
        }
        let n = stream.read(&mut buffer).unwrap();
        assert_ne!(n, 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
}

fn answer(status: &str, content: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{content}", content.len())
}

#[test]
fn urls() {
    let table = [
        ("http://127.0.0.1:8443", Ok("http://127.0.0.1:8443")),
        ("http://[::1]:1/", Ok("http://[::1]:1")),
        ("http://localhost", Ok("http://localhost:80")),
        ("https://waf.example", Ok("https://waf.example:443")),
        ("https://192.0.2.7:8443", Ok("https://192.0.2.7:8443")),
        ("http://192.0.2.7:8443", Err("in the clear")),
        ("http://waf.example", Err("in the clear")),
        ("http://localhost.example", Err("in the clear")),
        ("waf.example:8443", Err("scheme")),
        ("https://waf.example/v1", Err("no path")),
        ("https://user@waf.example", Err("no path, query, fragment or user")),
        ("https://waf.example:0", Err("port")),
        ("", Err("scheme")),
    ];
    for (text, expected) in table {
        match (text.parse::<ControlUrl>(), expected) {
            (Ok(url), Ok(expected)) => assert_eq!(url.to_string(), expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn requests_carry_the_token_and_keep_the_connection() {
    let (address, thread) = server(vec![
        answer("200 OK", r#"{"a":1}"#),
        answer("201 Created", "[2]"),
        answer("204 No Content", ""),
    ]);
    let mut client = client(address, Limits::default());
    assert_eq!(client.get::<Value>("/v1/sites").unwrap(), json!({"a": 1}));
    assert_eq!(client.send::<_, Vec<u8>>(Method::POST, "/v1/plans", &json!({"b": 2})).unwrap(), [2]);
    assert_eq!(client.call::<Value>(Method::DELETE, "/v1/tokens/x").unwrap(), Value::Null);

    let asked = thread.join().unwrap();
    let (head, content) = asked[1].split_once("\r\n\r\n").unwrap();
    assert_eq!(content, r#"{"b":2}"#);
    for line in
        ["POST /v1/plans HTTP/1.1", "authorization: Bearer waf_secret", "content-type: application/json"]
    {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(head.contains(&format!("host: {address}")), "{head}");
}

#[test]
fn refusals_say_what_to_do() {
    let problem = r#"{"title":"Conflict","status":409,"detail":"the plan is old","cure":"plan again"}"#;
    let mistakes = r#"{"title":"Bad Request","status":400,"detail":"2 mistakes","mistakes":[
        {"field":"wishes[0].sheet: peak","error":"is missing","cure":"write peak"},{"field":"x","error":"\u001b[2J"}]}"#;
    let table = [
        ("409 Conflict", problem, "the plan is old (409)\n  plan again"),
        (
            "400 Bad Request",
            mistakes,
            "2 mistakes (400)\n  wishes[0].sheet: peak: is missing; write peak\n  x: \\u{1b}[2J",
        ),
        (
            "401 Unauthorized",
            r#"{"title":"Unauthorized","status":401,"detail":"no such token"}"#,
            "no such token (401)\n  is it the right --token-file, and its token of this control plane?",
        ),
        (
            "404 Not Found",
            "<html>",
            "refused with status 404 on /v1/x\n  is this the address of waf control, and is it of the same version as \
             this waf?",
        ),
        ("302 Found", "", "refused with status 302 on /v1/x\n  is this the address"),
    ];
    for (status, content, expected) in table {
        let (address, thread) = server(vec![answer(status, content)]);
        let error = client(address, Limits::default()).get::<Value>("/v1/x").unwrap_err();
        assert!(error.to_string().starts_with(expected), "{status}: {error}");
        thread.join().unwrap();
    }
}

#[test]
fn nobody_there_and_answers_that_are_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address, Limits::default()).get::<Value>("/v1/x").unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");

    let small = Limits { answer_bytes_max: 4, ..Limits::default() };
    type Row = (&'static str, String, Limits, fn(&ClientError) -> bool);
    let table: [Row; 5] = [
        ("no JSON", answer("200 OK", "nonsense"), Limits::default(), |e| {
            matches!(e, ClientError::Answer { .. })
        }),
        ("another shape", answer("200 OK", "[]"), Limits::default(), |e| {
            matches!(e, ClientError::Answer { .. })
        }),
        ("no HTTP", "SSH-2.0-x\r\n".to_owned(), Limits::default(), |e| {
            matches!(e, ClientError::Exchange { .. })
        }),
        ("closed early", String::new(), Limits::default(), |e| matches!(e, ClientError::Exchange { .. })),
        ("too long", answer("200 OK", "12345"), small, |e| matches!(e, ClientError::AnswerLength { .. })),
    ];
    for (name, answer, limits, expected) in table {
        let (address, thread) = server(vec![answer]);
        let error = client(address, limits).get::<u64>("/v1/x").unwrap_err();
        assert!(expected(&error), "{name}: {error:?}");
        assert!(!format!("{error:?}").contains("waf_secret"), "{name}: {error:?}");
        thread.join().unwrap();
    }
    let (address, thread) = server(vec![answer("200 OK", "1234")]);
    assert_eq!(client(address, small).get::<u64>("/v1/x").unwrap(), 1_234);
    thread.join().unwrap();
}

#[test]
fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { answer_within: Duration::from_millis(50), ..Limits::default() };
    let error = client(address, limits).get::<Value>("/v1/x").unwrap_err();
    assert!(matches!(error, ClientError::AnswerTime { .. }), "{error:?}");
}

#[test]
fn tls_is_held_to_its_ca() {
    let ours = Authority::new();
    let foreign = Authority::new();
    let table = [("ours", ours.pem(), true), ("a foreign one", foreign.pem(), false)];
    for (name, ca, trusted) in table {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = on_loopback("localhost", ours.identity(&["localhost"]));
        runtime.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let hello = acceptor.hello(stream, Duration::from_secs(10)).await.unwrap();
            let Ok(mut stream) = hello.accept(Duration::from_secs(10)).await else { return };
            let _asked = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(answer("200 OK", "7").as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        });
        let url = format!("https://localhost:{port}").parse().unwrap();
        let mut client =
            Client::new(url, Some(ca.as_bytes()), Secret::new("t".to_owned()), Limits::default()).unwrap();
        match (client.get::<u64>("/v1/x"), trusted) {
            (Ok(7), true) | (Err(ClientError::Handshake { .. }), false) => {}
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
    let url: ControlUrl = "https://localhost:1".parse().unwrap();
    let none = Client::new(url, Some(b"no PEM"), Secret::new("t".to_owned()), Limits::default());
    assert!(matches!(none.err(), Some(ClientError::Roots { .. })));
}

#[test]
fn token_files() {
    let table = [
        ("one line", "waf_abc\n", 0o600, Ok("waf_abc")),
        ("readable by the group", " waf_abc \n", 0o640, Ok("waf_abc")),
        ("readable by everybody", "waf_abc\n", 0o644, Err("chmod 600")),
        ("empty", "\n", 0o600, Err("holds no token")),
        ("two words", "waf abc", 0o600, Err("holds no token")),
        ("other characters", "waf_日本", 0o600, Err("holds no token")),
    ];
    let folder = crate::control::store::Folder::new("token-file");
    let path = folder.path().join("token");
    for (name, text, mode, expected) in table {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match (read_token(&path), expected) {
            (Ok(token), Ok(expected)) => assert_eq!(token.expose(), expected, "{name}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{name}: {error}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
        std::fs::remove_file(&path).unwrap();
    }
    assert!(matches!(read_token(&path), Err(ClientError::TokenFile { .. })));
}

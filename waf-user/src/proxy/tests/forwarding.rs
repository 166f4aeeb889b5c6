//! What the origin is told of the visitor.

use super::harness::{Client, lab};

#[test]
fn forwarding_fields_are_ours() {
    lab(
        |site| {
            site.trusted_proxies =
                vec!["127.0.0.9/32".parse().expect("a net"), "198.51.100.0/24".parse().expect("a net")]
        },
        |lab| async move {
            // source, fields sent, fields that must be there, texts that must not
            type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);
            let rows: &[Row] = &[
                (
                    "127.0.0.1",
                    "",
                    &[
                        "X-Forwarded-For: 127.0.0.1\r\n",
                        "X-Real-IP: 127.0.0.1\r\n",
                        "X-Forwarded-Proto: http\r\n",
                    ],
                    &[],
                ),
                (
                    "127.0.0.1",
                    "X-Forwarded-For: 192.0.2.1\r\nx-real-ip: 192.0.2.1\r\nX-Forwarded-Host: evil\r\nX_Forwarded_For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Request-Id: mine\r\n",
                    &["X-Forwarded-For: 127.0.0.1\r\n", "X-Real-IP: 127.0.0.1\r\n"],
                    &["192.0.2.1", "evil", "mine", "Forwarded: for"],
                ),
                (
                    "127.0.0.9",
                    "X-Forwarded-For: 203.0.113.5, 192.0.2.1, 198.51.100.3\r\nX-Forwarded-Proto: https\r\n",
                    &[
                        "X-Forwarded-For: 203.0.113.5, 192.0.2.1, 198.51.100.3, 127.0.0.9\r\n",
                        "X-Real-IP: 192.0.2.1\r\n",
                        "X-Forwarded-Proto: https\r\n",
                    ],
                    &["X-Forwarded-Proto: http\r\n"],
                ),
                ("127.0.0.9", "X-Forwarded-For: 192.0.2.1, junk\r\n", &["X-Real-IP: 127.0.0.9\r\n"], &[]),
                ("127.0.0.9", "X-Forwarded-For: [2001:db8::7]:99\r\n", &["X-Real-IP: 2001:db8::7\r\n"], &[]),
                (
                    "127.0.0.9",
                    "X-Forwarded-Proto: https\r\nX_Forwarded_Proto: http\r\nX-Forwarded_Host: evil\r\n",
                    &["X-Forwarded-Proto: https\r\n"],
                    &["X_Forwarded", "evil"],
                ),
                (
                    "127.0.0.9",
                    "X-Forwarded-Proto: https\r\nConnection: x-forwarded-proto\r\n",
                    &["X-Forwarded-Proto: http\r\n"],
                    &["https"],
                ),
                (
                    "127.0.0.1",
                    "Connection: X-Secret, close\r\nX-Secret: 1\r\nTE: trailers\r\nUpgrade: websocket\r\nProxy-Authorization: x\r\nKeep-Alive: 5\r\nCookie: a=b\r\nx-CaSe: Kept\r\n",
                    &["Cookie: a=b\r\n", "x-CaSe: Kept\r\n"],
                    &["X-Secret", "TE:", "Upgrade", "Proxy-", "Keep-Alive", "Connection"],
                ),
            ];
            for (source, fields, present, absent) in rows {
                let mut client = Client::connect(lab.a, source).await;
                client.send(format!("GET /p?q HTTP/1.1\r\nHost: A.test\r\n{fields}\r\n").as_bytes()).await;
                assert_eq!(client.answer("GET").await.status(), 200, "{fields}");
                let head = lab.origin.asked().last().expect("asked").head.clone();
                assert!(head.starts_with("GET /p?q HTTP/1.1\r\nHost: A.test\r\n"), "{head}");
                assert!(head.contains(&format!("X-Forwarded-Port: {}\r\n", lab.a.port())), "{head}");
                for text in *present {
                    assert_eq!(head.matches(text).count(), 1, "{text} in {head}");
                }
                for text in *absent {
                    assert!(!head.contains(text), "{text} not in {head}");
                }
                let records = lab.lines("requests.jsonl");
                let id = records.last().expect("a record")["request_id"].as_str().expect("an id").to_owned();
                assert!(head.contains(&format!("X-Request-Id: {id}\r\n")), "{head}");
            }
        },
    );
}

#[test]
fn absolute_targets_become_paths() {
    lab(
        |_| {},
        |lab| async move {
            let answer = lab.ask("GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(answer.status(), 200);
            let head = lab.origin.asked()[0].head.clone();
            assert!(head.starts_with("GET /x?y HTTP/1.1\r\nHost: a.test\r\n"), "{head}");
        },
    );
}

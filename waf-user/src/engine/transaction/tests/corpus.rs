//! The starter rules against a broad corpus: attacks as cheat sheets list them, and what people and programs send, each
//! value in every place where one can stand. One value a line in `corpus/`; `␤` and `␍` stand for line feed and return.

use super::{Request, encoded, refusal, run, starter};

const ATTACKS: &[(&str, &str)] = &[
    ("SQL injection", include_str!("corpus/sqli.txt")),
    ("cross-site scripting", include_str!("corpus/xss.txt")),
    ("traversal", include_str!("corpus/traversal.txt")),
    ("commands", include_str!("corpus/commands.txt")),
    ("templates, headers, entities", include_str!("corpus/other.txt")),
    ("mixed", include_str!("corpus/mixed.txt")),
];

/// Refused attacks of each kind, of a thousand.
const RECALL_MIN: usize = 980;

const FORM: &str = "application/x-www-form-urlencoded";

/// The values of a file; a line that starts with `# ` and a capital is a remark.
fn values(text: &str) -> Vec<String> {
    let remark =
        |line: &&str| line.strip_prefix("# ").is_some_and(|rest| rest.starts_with(char::is_uppercase));
    let lines = text.lines().filter(|line| !line.is_empty() && !remark(line));
    lines.map(|line| line.replace('␤', "\n").replace('␍', "\r")).collect()
}

fn json(value: &str) -> Request {
    let body = serde_json::json!({"user": {"names": ["Anna", value]}, "page": 1});
    Request::post("application/json", body.to_string())
}

fn multipart(value: &str) -> Request {
    let part = "--b0\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\n";
    Request::post("multipart/form-data; boundary=b0", format!("{part}{value}\r\n--b0--\r\n"))
}

/// One value in every place, by the name of the place.
fn everywhere(value: &str) -> Vec<(&'static str, Request)> {
    let once = encoded(value);
    let mut requests = vec![
        ("query", Request::get(&format!("/search?page=1&q={once}"))),
        ("form", Request::post(FORM, format!("a=1&q={once}"))),
        ("JSON", json(value)),
        ("multipart", multipart(value)),
        ("cookie", Request::get("/").header("Cookie", &format!("a=b; session={once}"))),
    ];
    if !value.contains(['\n', '\r']) {
        requests.push(("header", Request::get("/").header("X-Search", value)));
        let referer = format!("https://www.example.test/search?q={once}");
        requests.push(("referer", Request::get("/").header("Referer", &referer)));
    }
    requests
}

#[test]
fn attacks_are_refused() {
    let rules = starter();
    for (kind, text) in ATTACKS {
        let (mut refused, mut missed) = (0, Vec::new());
        for value in values(text) {
            let twice = encoded(&encoded(&value));
            let mut requests = everywhere(&value);
            requests.retain(|(place, _)| !matches!(*place, "header" | "referer"));
            requests.push(("query, twice encoded", Request::get(&format!("/search?q={twice}"))));
            requests.push(("form, twice encoded", Request::post(FORM, format!("q={twice}"))));
            for (place, request) in requests {
                match refusal(&run(&rules, &request)) {
                    Some(_) => refused += 1,
                    None => missed.push(format!("{value:?} in {place}")),
                }
            }
        }
        let all = refused + missed.len();
        println!("{kind}: {refused} of {all} refused");
        assert!(
            refused * 1000 >= all * RECALL_MIN,
            "{kind}: {} missed:\n{}",
            missed.len(),
            missed.join("\n")
        );
    }
}

#[test]
fn harmless_values_pass() {
    let rules = starter();
    let mut refused = Vec::new();
    for value in values(include_str!("corpus/harmless.txt")) {
        let mut requests = everywhere(&value);
        requests.push(("text", Request::post("text/plain; charset=utf-8", value.as_str())));
        // Browsers resolve dots in a path before they send it.
        if !value.contains("..") {
            let segment = encoded(&value).replace("%2F", "/");
            requests.push(("path", Request::get(&format!("/articles/{segment}"))));
        }
        for (place, request) in requests {
            for matched in run(&rules, &request).matches() {
                refused.push(format!("{value:?} in {place}: {} {}", matched.id, matched.logdata));
            }
        }
    }
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

#[test]
fn browsers_and_programs_pass() {
    let agents = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; U; Android 4.4.2; id-id; SM-G900F; id) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A; wv) AppleWebKit/537.36 Line/14.19.1/IAB",
        "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15",
        "DoCoMo/2.0 N905i(c100;TB;W24H16)",
        "Amazon CloudFront",
        "GitHub-Hookshot/8d33975",
        "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "curl/8.9.1",
        "Wget/1.21.4",
        "python-requests/2.32.3",
        "Go-http-client/2.0",
        "okhttp/4.12.0",
        "PostmanRuntime/7.43.0",
        "Java/17.0.2",
        "",
    ];
    let headers = [
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "ja,en-US;q=0.9,en;q=0.8,id;q=0.7"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Cache-Control", "max-age=0, no-cache"),
        ("Sec-CH-UA", "\"Not(A:Brand\";v=\"99\", \"Google Chrome\";v=\"133\", \"Chromium\";v=\"133\""),
        ("Sec-CH-UA-Platform", "\"Windows\""),
        ("If-None-Match", "W/\"5f3-18c2a\", \"--abc\""),
        ("If-Modified-Since", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("Range", "bytes=0-499, -500"),
        ("Forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43, for=\"[2001:db8::17]:4711\""),
        ("X-Forwarded-For", "203.0.113.195, 2001:db8::1"),
        (
            "Authorization",
            "Digest username=\"Mufasa\", realm=\"a@b\", nonce=\"dcd98b\", uri=\"/dir/\", qop=auth, nc=00000001, cnonce=\"0a4f\"",
        ),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIA/20240101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=fe5f",
        ),
        ("Content-Disposition", "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf"),
        ("Link", "</style.css>; rel=preload; as=style"),
        ("Via", "1.1 vegur, 1.0 fred (Apache/1.1)"),
        ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("Sentry-Trace", "771a43a4192642f0b136d5159a501700-aaaaaaaaaaaaaaaa-1"),
        (
            "Referer",
            "https://www.google.co.jp/search?q=%E6%9D%B1%E4%BA%AC+%22hotel%22+OR+inn&oq=x&sourceid=chrome&ie=UTF-8",
        ),
        ("Referer", "android-app://com.google.android.gm/"),
        ("Origin", "https://app.example.test"),
        (
            "Signature",
            "keyId=\"https://a.test/u#main-key\",headers=\"(request-target) host date\",signature=\"Y2FiY==\"",
        ),
        ("NEL", "{\"report_to\":\"x\",\"max_age\":604800}"),
        ("X-Requested-With", "XMLHttpRequest"),
        (
            "Cookie",
            "_ga=GA1.1.1234567890.1700000000; _ga_ABC123=GS1.1.1700000000.5.1.1700000100.0.0.0; _gid=GA1.2.1.2",
        ),
        (
            "Cookie",
            "_fbp=fb.1.1596403881668.1116446470; _gcl_au=1.1.1; __utmz=1.2.3.4.utmcsr=(direct)|utmccn=(direct)|utmcmd=(none)",
        ),
        (
            "Cookie",
            "OptanonConsent=isGpcEnabled=0&datestamp=Tue+Nov+24+2026+10%3A00%3A00+GMT%2B0900+(%E6%97%A5%E6%9C%AC%E6%A8%99%E6%BA%96%E6%99%82)&version=6.33.0&groups=C0001%3A1%2CC0002%3A0&AwaitingReconsent=false",
        ),
        (
            "Cookie",
            "CookieConsent={stamp:%27abc+def/==%27%2Cnecessary:true%2Cpreferences:false%2Cmethod:%27explicit%27%2Cver:1}",
        ),
        (
            "Cookie",
            "laravel_session=eyJpdiI6IkE9PSIsInZhbHVlIjoiQiIsIm1hYyI6IkMifQ%3D%3D; XSRF-TOKEN=eyJpdiI6Ik%3D",
        ),
        (
            "Cookie",
            "wordpress_logged_in_1=admin%7C1700000000%7Cabc%7Cdef; wp-settings-1=editor%3Dtinymce%26libraryContent%3Dbrowse; wp-settings-time-1=17",
        ),
        ("Cookie", "connect.sid=s%3Aabc-DEF.xyz%2B123%2Fabc; JSESSIONID=0000abc:-1; PHPSESSID=q1w2e3"),
        (
            "Cookie",
            "intercom-id-x=550e8400; mp_abc_mixpanel=%7B%22distinct_id%22%3A%20%22a-b%22%2C%22%24initial_referrer%22%3A%20%22%24direct%22%7D",
        ),
        ("Cookie", "__cf_bm=a.b-c_1700000000-0-Ab+/cd==; cf_clearance=x.y-1700-1.2.1.1-Z; datadome=a~b_c"),
        ("Cookie", "prefs={\"theme\":\"dark\",\"size\":12}; last_search=shoes%20%26%20bags; name=O%27Brien"),
        (
            "Cookie",
            "ajs_user_id=%22a%7C1%22; amplitude_id_x=eyJkZXZpY2VJZCI6IjEifQ==; _hjSession_1=eyJpZCI6Ij",
        ),
    ];
    let rules = starter();
    let mut requests: Vec<Request> =
        agents.iter().map(|agent| Request::get("/").header("User-Agent", agent)).collect();
    requests.extend(headers.iter().map(|(name, value)| Request::get("/").header(name, value)));
    for request in requests {
        let transaction = run(&rules, &request);
        assert!(transaction.matches().is_empty(), "{:?}: {:?}", request.headers, transaction.matches());
    }
}

//! Harmless requests that the starter rules pass, Japanese ones among them.

use super::{Request, encoded, run, starter};

/// Values that stand in a query, a form, JSON, a multipart field and a cookie.
const VALUES: &[&str] = &[
    "O'Brien",
    "O'Brien and O'Neil",
    "D'Artagnan or Athos?",
    "select a seat from the list",
    "Please select one option from the menu where available",
    "the union select committee met on Monday",
    "a <b> c",
    "if a < b and c > d then",
    "1 < 2 and 3 > 2",
    "<3 you",
    "2 or 3 people",
    "rock 'n' roll",
    "it's 5 o'clock -- let's go",
    "He said \"yes\" or \"no\" to 5 of us",
    "100% cotton, 50%off",
    "50%-70% discount & free shipping",
    "C++ & C#",
    "use ../ to go up one folder",
    "see ../docs for details",
    "what is /etc for?",
    "cats & dogs; find more here",
    "name; address; type",
    "Raleigh, NC | Austin, TX",
    "sleep (8 hours) is good",
    "JavaScript: The Good Parts",
    "I like javascript: it is fun",
    "price: $100 (sale)",
    "$(document).ready is jQuery",
    "drop the table off at my place",
    "update your settings; delete old mail",
    "order by phone, group by age",
    "https://example.com/path?x=1&y=2#top",
    "user@example.com",
    "2024-01-31T12:00:00+09:00",
    "-1",
    "(555) 123-4567 ext. #12",
    "line one\nline two\n\nline four",
    "one = uno, two = dos",
    "onion = vegetable",
    "conditions=good",
    "私は昨日、東京でラーメンを食べました。",
    "お問い合わせ：商品の「サイズ」を教えてください。",
    "株式会社テスト〒100-0001 東京都千代田区千代田１−１",
    "カタカナ・ひらがな・漢字　全角スペース",
    "「いいえ」と言った。それで？",
    "価格は１００％オフ！＜限定＞",
    "山田 太郎（やまだ たろう）様",
    "ｶﾀｶﾅ半角とＡＢＣ全角",
    "今日は' or 'の話をします",
    "選択してください：A or B",
    "김치와 된장찌개를 먹었습니다",
    "Ünïcödé façade naïve — “quotes” ‘single’",
    "What's \"x\" and \"y\" in algebra?",
    "it's a 'test' or 'trial' is ok",
    "5' 10\" or 6' tall = good",
    "<b>bold</b> <a href=\"https://x.test/\">link</a> <p class=\"on\">text</p>",
    "<p>on time = good</p>",
    "if (a < b && c > d) { x = a || b; }",
    "cd ..",
    "wait... what?",
    "C:\\Users\\taro\\Documents",
    "/home/taro/notes.txt",
    "echo chamber; echo park",
    "don't; won't",
    "a=b;c=d",
    "I like rock; more at https://x.test/a",
    "he's in (or out)",
    "m(_ _)m ^_^; orz",
    "１＜２ ＆ ３＞２",
    "\"on click = buy\"",
    "{\"a\": \"b\", \"c\": [1,2]}",
    "<?xml version=\"1.0\"?><a>b</a>",
    "AT&T; find us at /contact",
    "AC/DC; Guns N' Roses",
    "function() { return 1; }",
    "=SUM(A1:A3)",
    "Location: Tokyo\nContent: lunch",
    "--",
    "'",
    "curl -up your hair; bash the keyboard",
    "👍🎉 emoji & more 😀",
];

fn everywhere(value: &str) -> Vec<(&'static str, Request)> {
    let once = encoded(value);
    let json = serde_json::json!({"items": [{"name": value, "count": 3, "ok": true, "none": null}]});
    let disposition = "Content-Disposition: form-data; name=";
    let part = format!(
        "--X-b\r\n{disposition}\"text\"\r\n\r\n{value}\r\n--X-b\r\n{disposition}\"f\"; filename=\"写真 1.png\"\r\n\
         Content-Type: image/png\r\n\r\n\0PNG<script>\r\n--X-b--\r\n"
    );
    vec![
        ("query", Request::get(&format!("/search?q={once}&page=2"))),
        ("form", Request::post("application/x-www-form-urlencoded", format!("a=1&q={once}"))),
        ("JSON", Request::post("application/json", json.to_string())),
        ("multipart", Request::post("multipart/form-data; boundary=X-b", part)),
        ("cookie", Request::get("/").header("Cookie", &format!("theme=dark; last={once}"))),
    ]
}

#[test]
fn values_pass_in_every_place() {
    let rules = starter();
    let mut refused = Vec::new();
    for value in VALUES {
        for (place, request) in everywhere(value) {
            let transaction = run(&rules, &request);
            for matched in transaction.matches() {
                refused.push(format!("{value:?} in {place}: {} {}", matched.id, matched.logdata));
            }
        }
    }
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

#[test]
fn requests_pass() {
    let browser =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0";
    let long_cookie = format!("_ga=GA1.2.{}; p={}", "1234567890".repeat(60), "a%3D1%26b%3D2%7C".repeat(200));
    let webhook = r#"{"text":"deploy done: 3/3 ok","url":"https://ci.test/?b=1"}"#;
    let rows = [
        ("root", Request::get("/")),
        ("asterisk", Request { method: "OPTIONS", ..Request::get("*") }),
        ("dots in names", Request::get("/files/report..final.v1.2.pdf")),
        ("Japanese path", Request::get("/%E5%95%86%E5%93%81/%E4%B8%80%E8%A6%A7")),
        ("plus in path", Request::get("/c++/tutorial")),
        ("bad percent", Request::get("/?q=100%&x=%zz")),
        ("bare query", Request::get("/?flag&other")),
        ("browser", Request::get("/").header("User-Agent", browser).header("Accept", "text/html,*/*;q=0.8")),
        ("hints", Request::get("/").header("sec-ch-ua", "\"Chromium\";v=\"126\", \"Not/A)Brand\";v=\"8\"")),
        ("etag", Request::get("/").header("If-None-Match", "W/\"5f-abc\", \"x\"")),
        ("referer", Request::get("/").header("Referer", "https://www.google.com/search?q=waf+or+cdn")),
        ("bearer", Request::get("/").header("Authorization", "Bearer eyJhbGciOi.eyJzdWIiOiIx.c2ln-_")),
        ("long cookie", Request::get("/").header("Cookie", &long_cookie)),
        ("empty form", Request::post("application/x-www-form-urlencoded", "")),
        ("empty JSON body", Request::post("application/json", "")),
        ("JSON scalar", Request::post("application/json", "\"x\"")),
        ("webhook", Request::post("application/json", webhook)),
        ("text", Request::post("text/plain", "just text; nothing else")),
        (
            "SOAP",
            Request::post("application/soap+xml", "<e:Envelope><object id=\"1\">x; id</object></e:Envelope>"),
        ),
        ("picture as it is", Request::post("image/png", b"\x89PNG;id;<script>".to_vec())),
        ("binary", Request::post("application/octet-stream", vec![0, 1, 2, 255, 0, 60, 61])),
    ];
    let rules = starter();
    for (name, request) in rows {
        let transaction = run(&rules, &request);
        assert!(transaction.matches().is_empty(), "{name}: {:?}", transaction.matches());
    }
}

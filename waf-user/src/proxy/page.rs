//! Our own answers: a status and an event's id -> a small HTML page. Nothing of the request is ever shown.

use jiff::Timestamp;

use super::forwarding::write_added;
use crate::event::EventId;
use crate::http::{HeadWriter, status_phrase};
use crate::model::Wall;

/// One answer of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub status: u16,
    pub id: EventId,
    pub now: Wall,
    /// Where a redirection leads.
    pub location: Option<&'a str>,
    /// When it is worth another try.
    pub retry_after_s: Option<u32>,
    /// The site's own additions.
    pub fields: &'a [(String, String)],
    /// The connection ends with this answer.
    pub close: bool,
    /// The request was HEAD: the head alone.
    pub head_only: bool,
}

impl Page<'_> {
    /// The answer's bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let body = body(self.status, self.id);
        let mut head = HeadWriter::response(self.status, "");
        head.field("Date", date(self.now).as_bytes());
        head.field("Content-Type", b"text/html; charset=utf-8");
        head.field("Cache-Control", b"no-store");
        head.field("X-Request-Id", self.id.to_string().as_bytes());
        if let Some(location) = self.location {
            head.field("Location", location.as_bytes());
        }
        write_added(&mut head, self.fields);
        if let Some(seconds) = self.retry_after_s {
            head.field("Retry-After", seconds.to_string().as_bytes());
        }
        if self.close {
            head.field("Connection", b"close");
        }
        head.content_length(body.len() as u64);
        let mut bytes = head.finish();
        // A rule may deny with 304, which has no body (RFC 9110 §15.4.5).
        if !self.head_only && self.status != 304 {
            bytes.extend_from_slice(body.as_bytes());
        }
        bytes
    }
}

/// What a visitor can do about it, in a sentence: English, Japanese.
fn advice(status: u16) -> [&'static str; 2] {
    match status {
        300..=399 => ["The page is elsewhere.", "ページは移動しました。"],
        408 => [
            "The request did not arrive in time. Please try again.",
            "時間内にリクエストを受信できませんでした。もう一度お試しください。",
        ],
        421 => [
            "This address does not serve the requested name.",
            "このアドレスでは、ご指定のサイトを提供していません。",
        ],
        429 | 503 => [
            "The service is busy. Please try again in a moment.",
            "ただいま混み合っています。しばらくしてからもう一度お試しください。",
        ],
        400..=499 => [
            "The request was refused to protect this site. If you think that this is a mistake, please tell the \
             site's owner the number below.",
            "サイト保護のため、このリクエストは拒否されました。お心当たりがない場合は、下記の番号を添えてサイトの\
             管理者へお問い合わせください。",
        ],
        _ => [
            "The site's own server cannot be reached or gave no proper answer. Please try again later.",
            "サイトのサーバーから正しい応答が得られませんでした。時間をおいてもう一度お試しください。",
        ],
    }
}

/// Dark where the visitor's system is, readable at 360 px, nothing from outside.
const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:38em;margin:12vh auto;padding:0 1.2em;\
     color:#1f2933;background:#fff}h1{font-size:1.5em}code{background:#edf1f5;padding:.2em .5em;border-radius:.3em;\
     overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{color:#e4e9ee;background:#14191f}\
     code{background:#26303a}}";

fn body(status: u16, id: EventId) -> String {
    let phrase = status_phrase(status);
    let [english, japanese] = advice(status);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{status} {phrase}</title><style>{STYLE}</style></head>\n<body>\
         <h1>{status} {phrase}</h1>\n<p>{english}</p>\n<p lang=\"ja\">{japanese}</p>\n\
         <p>Event id: <code>{id}</code></p>\n</body></html>\n"
    )
}

/// IMF-fixdate (RFC 9110 §5.6.7).
fn date(now: Wall) -> String {
    let millisecond = i64::try_from(now.0).unwrap_or(0);
    let timestamp = Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_is_imf_fixdate() {
        assert_eq!(date(Wall(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn page_shows_the_id_and_counts_its_bytes() {
        let id = EventId::new(Wall(1), 2);
        let page = Page {
            status: 403,
            id,
            now: Wall(1),
            location: None,
            retry_after_s: None,
            fields: &[],
            close: true,
            head_only: false,
        };
        let text = String::from_utf8(page.bytes()).expect("ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        assert!(head.contains("Connection: close"), "{head}");
        assert!(body.contains(&id.to_string()), "{body}");
        let head_only = Page { head_only: true, ..page }.bytes();
        assert_eq!(head_only, [head, "\r\n\r\n"].concat().as_bytes());
        let busy =
            String::from_utf8(Page { status: 429, retry_after_s: Some(1), ..page }.bytes()).expect("ASCII");
        assert!(busy.contains("\r\nRetry-After: 1\r\n") && !text.contains("Retry-After"), "{busy}");
        let not_modified = Page { status: 304, ..page }.bytes();
        assert!(not_modified.ends_with(b"\r\n\r\n"), "a 304 has no body, whatever a rule says");
    }
}

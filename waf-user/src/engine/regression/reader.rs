//! Bytes of one request, however malformed -> its parts, and what a strict web server would have answered. For tests and
//! for looking at recorded requests only: the proxy has a parser of its own, which never guesses.

/// A request as the rules get it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadRequest {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    /// Such as `HTTP/1.1`; empty: the request line has none (HTTP/0.9).
    pub protocol: String,
    /// In order; values without white space around them, folded lines joined.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Chunks joined.
    pub body: Vec<u8>,
    /// Bytes after the head that belong to no body.
    pub unread_bytes: usize,
    /// Why a strict web server (Apache 2.4) answers 400, before rules see the request.
    pub bad: Option<&'static str>,
    /// Why it answers 400 after they saw it.
    pub bad_later: Option<&'static str>,
    /// Why it gives no answer that a client could read.
    pub unanswered: Option<&'static str>,
}

impl ReadRequest {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        named.next().map(|(_, value)| value.as_slice())
    }

    /// As the reference engine sees it behind its web server: fields of the same name are one, joined by commas.
    pub fn joined(mut self) -> Self {
        let mut joined: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(self.headers.len());
        for (name, value) in self.headers {
            match joined.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                Some((_, first)) => {
                    first.extend_from_slice(b", ");
                    first.extend_from_slice(&value);
                }
                None => joined.push((name, value)),
            }
        }
        self.headers = joined;
        self
    }

    fn mark(&mut self, bad: bool, reason: &'static str) {
        if bad {
            self.bad.get_or_insert(reason);
        }
    }
}

/// Reads what is there. Lines end in CRLF or LF.
pub fn read(bytes: &[u8]) -> ReadRequest {
    let mut request = ReadRequest::default();
    // Empty lines before the request line are passed over (RFC 9112 §2.2).
    let empty = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut rest = bytes.get(empty..).unwrap_or_default();
    let (line, after) = split_line(rest);
    rest = after;
    let bare = |bytes: &[u8]| {
        bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .is_some_and(|end| end == 0 || bytes.get(end - 1) != Some(&b'\r'))
    };
    request.mark(bare(bytes.get(empty..).unwrap_or_default()), "a line ends in LF alone");
    request_line(&mut request, line);
    loop {
        let (line, after) = split_line(rest);
        rest = after;
        if line.is_empty() {
            break;
        }
        header_line(&mut request, line);
    }
    let chunked = request.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case(b"transfer-encoding") && value.to_ascii_lowercase().ends_with(b"chunked")
    });
    match chunked {
        true => {
            // Web servers drop the length then, before rules see the request.
            request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
            let (body, ends) = joined_chunks(rest);
            if !ends {
                request.bad_later = Some("the chunks have no end");
            }
            request.body = body;
        }
        false => sized_body(&mut request, rest),
    }
    host(&mut request);
    request
}

/// The line without its end, and what follows it.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let line = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    let rest = end.and_then(|end| bytes.get(end + 1..)).unwrap_or_default();
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// `method SP target SP protocol`; a target may hold spaces when the last word is a protocol.
fn request_line(request: &mut ReadRequest, line: &[u8]) {
    let text = line.trim_ascii();
    request.mark(line.first().is_some_and(u8::is_ascii_whitespace), "white space before the method");
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let first = text.iter().position(blank).unwrap_or(text.len());
    let (method, rest) = text.split_at(first);
    let rest = rest.trim_ascii();
    let last = rest.iter().rposition(blank);
    let (target, protocol) = match last {
        Some(at) => (rest.get(..at).unwrap_or_default().trim_ascii(), rest.get(at + 1..).unwrap_or_default()),
        None => (rest, &b""[..]),
    };
    request.method = method.to_vec();
    request.target = target.to_vec();
    request.protocol = String::from_utf8_lossy(protocol).into_owned();
    request.mark(method.is_empty() || !method.iter().all(is_token), "the method is no token");
    request.mark(target.is_empty(), "no target");
    request.mark(target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f), "white space in the target");
    if request.protocol.is_empty() {
        request.unanswered = Some("HTTP/0.9 is answered without a status line");
        return;
    }
    request.mark(!is_protocol(protocol), "no protocol that a server knows");
    let connect = method == b"CONNECT";
    let absolute = target.windows(3).any(|three| three == b"://");
    let known = matches!(target.first(), Some(b'/' | b'?')) || target == b"*" || absolute;
    if !connect && !known {
        request.bad_later = Some("the target is neither a path nor a URI");
    }
    let port = target.iter().rposition(|byte| *byte == b':').and_then(|colon| target.get(colon + 1..));
    let has_port = port.is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit));
    request.mark(connect && !has_port, "CONNECT without a port");
}

fn header_line(request: &mut ReadRequest, line: &[u8]) {
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    request.mark(line.iter().any(control), "a header field holds a control character");
    if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        if let Some((_, value)) = request.headers.last_mut() {
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
        }
        return;
    }
    let colon = line.iter().position(|byte| *byte == b':');
    request.mark(colon.is_none(), "a header field without a colon");
    let name = line.get(..colon.unwrap_or(line.len())).unwrap_or_default();
    request.mark(name.is_empty() || !name.iter().all(is_token), "a header field's name is no token");
    let value = colon.and_then(|colon| line.get(colon + 1..)).unwrap_or_default();
    request.headers.push((name.trim_ascii_end().to_vec(), value.trim_ascii().to_vec()));
}

/// What Content-Length says; everything where it is missing or no number.
fn sized_body(request: &mut ReadRequest, rest: &[u8]) {
    let given = request.header("content-length").map(<[u8]>::to_vec);
    let Some(given) = given else {
        // Without a length there is no body (RFC 9112 §6.3).
        request.unread_bytes = rest.len();
        return;
    };
    let length = std::str::from_utf8(&given).ok().and_then(|text| text.parse::<usize>().ok());
    request.mark(!given.iter().all(u8::is_ascii_digit), "Content-Length is no number");
    let Some(length) = length else {
        request.body = rest.to_vec();
        return;
    };
    request.body = rest.get(..length).unwrap_or(rest).to_vec();
    if rest.len() < length {
        request.unanswered = Some("the body is shorter than Content-Length: the server waits for the rest");
    }
}

/// The chunks as one, and whether the last one was there.
fn joined_chunks(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let (line, after) = split_line(rest);
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digits = line.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
        let length = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(0);
        if length == 0 {
            return (body, line.first() == Some(&b'0'));
        }
        body.extend_from_slice(after.get(..length).unwrap_or(after));
        let next = after.get(length..).unwrap_or_default();
        rest = split_line(next).1;
    }
}

/// RFC 9112 §3.2: HTTP/1.1 wants one Host that is a name or an address.
fn host(request: &mut ReadRequest) {
    let hosts: Vec<Vec<u8>> = request
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"host"))
        .map(|(_, value)| value.clone())
        .collect();
    let current = !matches!(request.protocol.as_str(), "" | "HTTP/1.0");
    request.mark(current && hosts.is_empty(), "no Host");
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
    request.mark(hosts.iter().any(|host| host.is_empty() || !host.iter().all(fits)), "Host is no name");
}

/// `HTTP/` and a version from 1.0 on.
fn is_protocol(text: &[u8]) -> bool {
    match text.strip_prefix(b"HTTP/") {
        Some([major, b'.', minor]) => major.is_ascii_digit() && minor.is_ascii_digit() && *major != b'0',
        _ => false,
    }
}

/// RFC 9110 §5.6.2.
fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

use super::*;

struct Fixed {
    is_ready: bool,
}

impl Pages for Fixed {
    fn metrics(&self) -> String {
        "waf_up 1\n".to_owned()
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }
}

#[test]
fn three_pages_are_read_and_nothing_else() {
    let table = [
        ("metrics", "GET", "/metrics", true, "200", "waf_up 1\n"),
        ("alive", "GET", "/healthz", false, "200", "alive\n"),
        ("ready", "GET", "/readyz", true, "200", "ready\n"),
        ("not ready", "GET", "/readyz", false, "503", "not ready\n"),
        ("query", "GET", "/healthz?x=1", true, "200", "alive\n"),
        ("head", "HEAD", "/healthz", true, "200", ""),
        ("unknown page", "GET", "/", true, "404", "/metrics, /healthz, /readyz\n"),
        ("unknown page, posted", "POST", "/ban", true, "404", "/metrics, /healthz, /readyz\n"),
        ("write", "POST", "/metrics", true, "405", "this listener only reads\n"),
    ];
    for (name, method, target, is_ready, status, body) in table {
        let text = answer(method, target, &Fixed { is_ready });
        let (head, shown) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {head}");
        assert_eq!(shown, body, "{name}");
        assert_eq!(head.contains("\r\nAllow: GET, HEAD"), status == "405", "{name}");
    }
}

#[test]
fn a_request_over_tcp_is_answered_and_garbage_refused() {
    let table: [(&str, &[u8], &str); 3] = [
        ("in one piece", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 "),
        ("garbage", b"\x16\x03\x01\r\n\r\n", "HTTP/1.1 400 "),
        ("no Host", b"GET /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::task::spawn_local(serve(listener, Rc::new(Fixed { is_ready: true })));
        for (name, request, expected) in table {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request).await.unwrap();
            let mut reply = String::new();
            let read = stream.read_to_string(&mut reply);
            tokio::time::timeout(CLIENT_WITHIN, read).await.unwrap().unwrap();
            assert!(reply.starts_with(expected), "{name}: {reply}");
        }
    });
}

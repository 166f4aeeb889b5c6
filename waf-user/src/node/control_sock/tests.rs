use tokio::task::LocalSet;

use super::*;
use crate::node::control::tests::control;

/// A directory of its own, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waf-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs `client` on a thread of its own while a node answers on the socket.
fn with_node<T: Send + 'static>(state_dir: &Path, client: impl FnOnce() -> T + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let socket = ControlSocket::bind(state_dir).unwrap();
        tokio::select! {
            () = socket.serve(control()) => panic!("the socket ended"),
            result = tokio::task::spawn_blocking(client) => result.unwrap(),
        }
    })
}

#[test]
fn a_client_asks_and_is_answered() {
    let scratch = Scratch::new("ask");
    let dir = scratch.0.clone();
    let reply = with_node(&scratch.0, move || ask(&dir, &Request::Ping {}).unwrap());
    assert_eq!(reply, Reply::Done {});
    let error = ask(&scratch.0, &Request::Ping {}).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound, "the file goes with the node");
}

#[test]
fn the_socket_is_the_owners_alone() {
    let scratch = Scratch::new("mode");
    let file = path(&scratch.0);
    let mode = with_node(&scratch.0, move || fs::metadata(file).unwrap().permissions().mode());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn lines_are_bounded() {
    let scratch = Scratch::new("lines");
    let padded = |len: usize| {
        let mut line = br#"{"command":"ping"}"#.to_vec();
        line.resize(len, b' ');
        line.push(b'\n');
        line
    };
    let table = [
        ("at the limit", padded(REQUEST_BYTES_MAX), "done"),
        ("above the limit", padded(REQUEST_BYTES_MAX + 1), "at most"),
        ("no line end", b"{}".to_vec(), "at most"),
    ];
    for (name, line, expected) in table {
        let file = path(&scratch.0);
        let reply = with_node(&scratch.0, move || {
            let mut stream = net::UnixStream::connect(file).unwrap();
            stream.write_all(&line).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut reply = String::new();
            BufReader::new(stream).read_line(&mut reply).unwrap();
            reply
        });
        assert!(reply.contains(expected), "{name}: {reply}");
    }
}

#[test]
fn only_a_stale_file_is_replaced() {
    let scratch = Scratch::new("stale");
    let file = path(&scratch.0);
    // Dropping a listener leaves its file behind, as `kill -9` does.
    drop(net::UnixListener::bind(&file).unwrap());
    assert!(file.exists());
    let dir = scratch.0.clone();
    let second = with_node(&scratch.0, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { ControlSocket::bind(&dir).err() })
    });
    assert!(matches!(second, Some(NodeError::Running(_))), "{second:?}");
}

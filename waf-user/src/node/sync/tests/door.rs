//! An address that stays while control processes behind it come and go, and a network that can be cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Passes on what comes to its port.
pub struct Door {
    pub port: u16,
    to: Arc<Mutex<Option<SocketAddr>>>,
    cut: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Door {
    /// Closed.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let (cut, cuts) = watch::channel(0);
        let target = Arc::clone(&to);
        let task = tokio::spawn(async move {
            while let Ok((mut inner, _)) = listener.accept().await {
                // Closed: the peer is gone at once.
                let Some(address) = *target.lock().unwrap() else { continue };
                let mut cuts = cuts.clone();
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let Ok(mut outer) = TcpStream::connect(address).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut inner, &mut outer) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self { port, to, cut, task }
    }

    pub fn open_to(&self, address: SocketAddr) {
        *self.to.lock().unwrap() = Some(address);
    }

    /// No new connections, and those that are open end.
    pub fn close(&self) {
        *self.to.lock().unwrap() = None;
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Connections that are open end; new ones come through.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

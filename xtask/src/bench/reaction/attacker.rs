//! An attacker in the client's namespace: a new connection with one refused request every millisecond, from an address
//! that the route names, so that every ban meets a source that nobody knows yet.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::libc::linger;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{setsockopt, sockopt};

use crate::lab::Carrier;
use crate::lab::netns::Namespace;

/// Refused by the starter rules.
const TARGET: &str = "/search?q=1+UNION+SELECT+user,password+FROM+users";
const EVERY: Duration = Duration::from_millis(1);
/// Answered in well under a millisecond while the source is not banned.
const CONNECT: Duration = Duration::from_millis(20);
/// Connections left open behind the newest: their answers come meanwhile.
const OPEN_MAX: usize = 16;
/// Between two looks at the log.
const LOOK: Duration = Duration::from_millis(5);

/// Who attacks whom.
pub struct Attack<'a> {
    pub target: IpAddr,
    pub fqdn: &'a str,
    pub source: IpAddr,
}

impl Attack<'_> {
    fn request(&self, target: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.fqdn)
    }

    fn connect(&self, within: Duration) -> std::io::Result<TcpStream> {
        TcpStream::connect_timeout(&SocketAddr::new(self.target, 80), within)
    }
}

/// The sources of one client at one carrier.
pub struct Attacker<'a> {
    client: &'a Namespace,
    carrier: &'a Namespace,
    at: Carrier,
}

impl<'a> Attacker<'a> {
    pub fn new(client: &'a Namespace, carrier: &'a Namespace, at: Carrier) -> Self {
        Self { client, carrier, at }
    }

    /// From now on connections to the carrier come from the source of that number, and answers find it.
    ///
    /// # Errors
    /// What `ip` complains of.
    pub fn become_source(&self, number: u8, has_v6: bool) -> Result<IpAddr> {
        let device = self.at.client_device();
        let [prefix4, prefix6] = self.at.service_prefixes();
        let (source, prefix, via, back, bits) = if has_v6 {
            let source = Ipv6Addr::new(0xfd00, 0x6600, 0, u16::from(number), 0, 0, 0, 2);
            (IpAddr::V6(source), prefix6, self.at.edge6(), self.at.client6(2), 128)
        } else {
            let source = Ipv4Addr::new(10, 66, number, 2);
            (IpAddr::V4(source), prefix4, self.at.edge(), self.at.client(2), 32)
        };
        let (address, via, back) = (source.to_string(), via.to_string(), back.to_string());
        let with_length = format!("{address}/{bits}");
        let nodad: &[&str] = if has_v6 { &["nodad"] } else { &[] };
        let words = ["address", "replace", &with_length, "dev", device];
        self.client.ip(words.into_iter().chain(nodad.iter().copied()))?;
        self.client.ip(["route", "replace", &prefix, "via", &via, "src", &address])?;
        self.carrier.ip(["route", "replace", &with_length, "via", &back])?;
        Ok(source)
    }
}

/// Attacks until `seen` has an answer.
///
/// # Errors
/// `seen` fails, or the namespace cannot be entered.
pub fn attack<T>(
    namespace: &Namespace,
    attack: &Attack<'_>,
    mut seen: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let sender = scope.spawn(|| enter(namespace).map(|()| send(attack, TARGET, &stop)));
        let answer = loop {
            match seen() {
                Ok(None) if !sender.is_finished() => thread::sleep(LOOK),
                Ok(None) => break Err(anyhow!("the attacker gave up")),
                Ok(Some(answer)) => break Ok(answer),
                Err(error) => break Err(error),
            }
        };
        stop.store(true, Ordering::Relaxed);
        sender.join().map_err(|_| anyhow!("the attacker panicked"))??;
        answer
    })
}

/// Sends harmless requests, as fast as an attack, until told to stop.
///
/// # Errors
/// The namespace cannot be entered.
pub fn visit(namespace: &Namespace, visit: &Attack<'_>, stop: &AtomicBool) -> Result<()> {
    enter(namespace).map(|()| send(visit, "/", stop))
}

/// Whether a harmless request of the source is answered.
///
/// # Errors
/// The namespace cannot be entered.
pub fn is_answered(namespace: &Namespace, attack: &Attack<'_>) -> Result<bool> {
    /// A banned source hears nothing: it need not wait long to know.
    const SILENCE: Duration = Duration::from_millis(400);
    thread::scope(|scope| {
        let asked = scope.spawn(|| -> Result<bool> {
            enter(namespace)?;
            let Ok(mut stream) = attack.connect(SILENCE) else { return Ok(false) };
            stream.set_read_timeout(Some(SILENCE))?;
            let mut status = [0; 12];
            let answered = stream.write_all(attack.request("/").as_bytes()).is_ok()
                && stream.read_exact(&mut status).is_ok();
            Ok(answered && status.ends_with(b" 200"))
        });
        asked.join().map_err(|_| anyhow!("the visitor panicked"))?
    })
}

fn send(attack: &Attack<'_>, target: &str, stop: &AtomicBool) {
    let request = attack.request(target);
    let mut open = std::collections::VecDeque::new();
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        // What is refused or cut off is the point of it; a banned source waits here until its patience ends.
        if let Ok(mut stream) = attack.connect(CONNECT) {
            // Closed by one RST: a banned connection's FIN would be sent again and again, and fill the node's log.
            let _ = setsockopt(&stream, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 });
            drop(stream.write_all(request.as_bytes()));
            open.push_back(stream);
        }
        if open.len() > OPEN_MAX {
            open.pop_front();
        }
        next += EVERY;
        let now = Instant::now();
        match next.checked_duration_since(now) {
            Some(left) => thread::sleep(left),
            None => next = now,
        }
    }
}

fn enter(namespace: &Namespace) -> Result<()> {
    let path = namespace.path();
    let handle = File::open(&path).with_context(|| format!("open {}", path.display()))?;
    setns(handle.as_fd(), CloneFlags::CLONE_NEWNET).with_context(|| format!("enter {}", path.display()))
}

//! Host of an origin -> addresses, with the last good answer kept. Whether they may be connected to is checked elsewhere,
//! every time they are used.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::limits::{ADDRESSES_MAX, ANSWER_FRESH, NAMES_MAX, RESOLVE_WITHIN, RETRY_AFTER};
use crate::config::OriginUrl;
use crate::config::origin_url::OriginHost;
use crate::model::Fqdn;

/// The answers that one worker remembers.
#[derive(Debug, Default)]
pub struct Resolver {
    names: RefCell<HashMap<Fqdn, Rc<Name>>>,
}

/// One name. Whoever holds `asking` asks for all: one look-up a name at a time, whatever the number of requests.
#[derive(Debug, Default)]
struct Name {
    answer: RefCell<Option<Answer>>,
    asking: Mutex<()>,
}

#[derive(Debug)]
struct Answer {
    result: Result<Rc<[IpAddr]>, Failure>,
    fresh_until: Instant,
}

/// What is kept of an error, which itself cannot be given out twice.
#[derive(Clone, Debug)]
struct Failure {
    kind: io::ErrorKind,
    text: String,
}

impl Resolver {
    /// The addresses of an origin with its port, at most `ADDRESSES_MAX`, at least one.
    ///
    /// # Errors
    /// The name has no address, or the look-up failed or took too long, and no earlier answer is known. A failure is
    /// remembered for `RETRY_AFTER`.
    pub async fn addresses(&self, origin: &OriginUrl) -> io::Result<Vec<SocketAddr>> {
        let name = match &origin.host {
            OriginHost::Address(address) => return Ok(vec![SocketAddr::new(*address, origin.port)]),
            OriginHost::Name(name) => name,
        };
        let result = self.answer(name).await;
        let addresses = result.map_err(|failure| io::Error::new(failure.kind, failure.text))?;
        Ok(addresses.iter().map(|address| SocketAddr::new(*address, origin.port)).collect())
    }

    async fn answer(&self, fqdn: &Fqdn) -> Result<Rc<[IpAddr]>, Failure> {
        let name = self.name(fqdn, Instant::now());
        if let Some(result) = name.fresh(Instant::now()) {
            return result;
        }
        let _asking = match name.asking.try_lock() {
            Ok(asking) => asking,
            // Somebody asks already. An answer gone stale serves on meanwhile: a slow resolver delays one request only.
            Err(_) => match name.addresses() {
                Some(addresses) => return Ok(addresses),
                None => name.asking.lock().await,
            },
        };
        // Who waited finds the answer, unless the asker was cancelled with its request.
        if let Some(result) = name.fresh(Instant::now()) {
            return result;
        }
        let result = look_up(fqdn, RESOLVE_WITHIN).await;
        name.store(result, Instant::now())
    }

    fn name(&self, fqdn: &Fqdn, now: Instant) -> Rc<Name> {
        let mut names = self.names.borrow_mut();
        if let Some(name) = names.get(fqdn) {
            return Rc::clone(name);
        }
        if names.len() >= NAMES_MAX {
            // O(n) once the table is full, and then room for all that are no longer asked for.
            names.retain(|_, name| name.fresh(now).is_some());
        }
        let name = Rc::<Name>::default();
        // A table full of fresh names: this one is asked for without being remembered.
        if names.len() < NAMES_MAX {
            names.insert(fqdn.clone(), Rc::clone(&name));
        }
        name
    }
}

impl Name {
    /// The answer or failure, while it need not be asked for again.
    fn fresh(&self, now: Instant) -> Option<Result<Rc<[IpAddr]>, Failure>> {
        self.answer
            .borrow()
            .as_ref()
            .filter(|answer| answer.fresh_until > now)
            .map(|answer| answer.result.clone())
    }

    /// The last good answer, however old.
    fn addresses(&self) -> Option<Rc<[IpAddr]>> {
        self.answer.borrow().as_ref()?.result.as_ref().ok().map(Rc::clone)
    }

    /// Keeps a result; a failure does not replace a good answer. Fail-open: an origin does not move because its name
    /// servers are down. Returns what serves now.
    fn store(&self, result: Result<Rc<[IpAddr]>, Failure>, now: Instant) -> Result<Rc<[IpAddr]>, Failure> {
        let (result, fresh_for) = match (result, self.addresses()) {
            (Ok(addresses), _) => (Ok(addresses), ANSWER_FRESH),
            (Err(_), Some(addresses)) => (Ok(addresses), RETRY_AFTER),
            (Err(failure), None) => (Err(failure), RETRY_AFTER),
        };
        *self.answer.borrow_mut() = Some(Answer { result: result.clone(), fresh_until: now + fresh_for });
        result
    }
}

/// Asks the machine's resolver (getaddrinfo on a thread of the runtime's blocking pool).
async fn look_up(name: &Fqdn, within: Duration) -> Result<Rc<[IpAddr]>, Failure> {
    let failure = |kind, text: String| Failure { kind, text };
    match tokio::time::timeout(within, tokio::net::lookup_host((name.as_str(), 0))).await {
        Err(_elapsed) => Err(failure(io::ErrorKind::TimedOut, "no answer in time".to_owned())),
        Ok(Err(error)) => Err(failure(error.kind(), error.to_string())),
        Ok(Ok(found)) => {
            let addresses: Rc<[_]> = found.map(|address| address.ip()).take(ADDRESSES_MAX).collect();
            if addresses.is_empty() {
                Err(failure(io::ErrorKind::NotFound, "the name has no address".to_owned()))
            } else {
                Ok(addresses)
            }
        }
    }
}

#[cfg(test)]
impl Resolver {
    /// Puts an answer of the past.
    pub(super) fn remember(&self, fqdn: &Fqdn, address: IpAddr, at: Instant) {
        let kept = self.name(fqdn, at).store(Ok([address].into()), at);
        assert!(kept.is_ok());
    }

    /// How many look-ups the name would cost at a moment: 0 or 1.
    pub(super) fn would_ask(&self, fqdn: &Fqdn, at: Instant) -> bool {
        self.name(fqdn, at).fresh(at).is_none()
    }
}

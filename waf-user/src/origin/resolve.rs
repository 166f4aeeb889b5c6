//! Host of an origin -> addresses, with the last good answer kept. Whether they may be connected to is checked elsewhere,
//! every time they are used.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::limits::{ADDRESSES_MAX, ANSWER_FRESH, NAMES_MAX, RESOLVE_WITHIN, RETRY_AFTER};
use crate::config::OriginUrl;
use crate::config::origin_url::OriginHost;
use crate::model::Fqdn;

/// The answers that one worker remembers.
#[derive(Debug, Default)]
pub struct Resolver {
    answers: RefCell<HashMap<Fqdn, Answer>>,
}

#[derive(Debug)]
struct Answer {
    addresses: Rc<[IpAddr]>,
    fresh_until: Instant,
}

impl Resolver {
    /// The addresses of an origin with its port, at most `ADDRESSES_MAX`, at least one.
    ///
    /// # Errors
    /// The name has no address, or the look-up failed or took too long, and no earlier answer is known.
    pub async fn addresses(&self, origin: &OriginUrl) -> io::Result<Vec<SocketAddr>> {
        let name = match &origin.host {
            OriginHost::Address(address) => return Ok(vec![SocketAddr::new(*address, origin.port)]),
            OriginHost::Name(name) => name,
        };
        let addresses = match self.remembered(name, Instant::now()) {
            Some(addresses) => addresses,
            None => self.look_up(name).await?,
        };
        Ok(addresses.iter().map(|address| SocketAddr::new(*address, origin.port)).collect())
    }

    /// A fresh answer. One that has just gone stale is handed to one asker for renewal only; the others go on with it, so
    /// that a slow resolver delays one request and not all.
    pub(super) fn remembered(&self, name: &Fqdn, now: Instant) -> Option<Rc<[IpAddr]>> {
        let mut answers = self.answers.borrow_mut();
        let answer = answers.get_mut(name)?;
        if answer.fresh_until > now {
            return Some(Rc::clone(&answer.addresses));
        }
        answer.fresh_until = now + RETRY_AFTER;
        None
    }

    async fn look_up(&self, name: &Fqdn) -> io::Result<Rc<[IpAddr]>> {
        match query(name, RESOLVE_WITHIN).await {
            Ok(addresses) => {
                self.remember(name, Rc::clone(&addresses), Instant::now());
                Ok(addresses)
            }
            // Fail-open: an origin does not move because its name servers are down.
            Err(error) => match self.answers.borrow().get(name) {
                Some(answer) => Ok(Rc::clone(&answer.addresses)),
                None => Err(error),
            },
        }
    }

    pub(super) fn remember(&self, name: &Fqdn, addresses: Rc<[IpAddr]>, now: Instant) {
        let mut answers = self.answers.borrow_mut();
        if answers.len() >= NAMES_MAX && !answers.contains_key(name) {
            // O(n) once the table is full: rare, and n look-ups were paid for before.
            let oldest =
                answers.iter().min_by_key(|(_, answer)| answer.fresh_until).map(|(name, _)| name.clone());
            oldest.and_then(|oldest| answers.remove(&oldest));
        }
        answers.insert(name.clone(), Answer { addresses, fresh_until: now + ANSWER_FRESH });
    }
}

async fn query(name: &Fqdn, within: Duration) -> io::Result<Rc<[IpAddr]>> {
    let found = tokio::time::timeout(within, tokio::net::lookup_host((name.as_str(), 0))).await;
    let found = found.map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??;
    let addresses: Rc<[_]> = found.map(|address| address.ip()).take(ADDRESSES_MAX).collect();
    if addresses.is_empty() { Err(io::Error::from(io::ErrorKind::NotFound)) } else { Ok(addresses) }
}

//! One ban at a time: it comes to hold in all three places, is lifted, or has run out.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::kernel_sync;
use super::super::promote::promoted;
use super::{BanError, Enforcer, Force};
use crate::kernel::KernelError;
use crate::model::{Ban, BanOrigin, BanScope, Mono, chain};
use crate::proxy::Command;

impl Enforcer {
    /// A ban that the rules' refusals made, with the scope and the time that the source's other bans give it. Nothing
    /// where it is banned already: by requests that were under way when the ban came.
    ///
    /// # Errors
    /// See [`BanError`]; nobody is banned then. Where only the kernel fails, user space enforces the ban, and the log
    /// tells.
    pub fn ban_by_rules(
        &mut self,
        ban: Ban,
        (source, destination): (IpAddr, IpAddr),
        now: Mono,
    ) -> Result<Option<Ban>, BanError> {
        let ban = self.narrowed(ban, source);
        self.protected.check(&ban)?;
        let ban = promoted(ban, destination, (&self.config, &self.plan, &self.bans), now);
        if self.bans.live(ban.scope, ban.prefix, now).is_some() {
            return Ok(None);
        }
        let ttl_s = self.repeaters.next_ttl_s(ban.scope, ban.prefix, &self.config.ban, now);
        let ban = Ban { expires: Some(now.plus_s(ttl_s)), ..ban };
        match self.ban(ban.clone(), Force::No) {
            Err(error @ BanError::Filter(_)) => {
                let error = chain(&error);
                tracing::warn!(prefix = %ban.prefix, scope = %ban.scope, error, "ban not enforced in the kernel");
            }
            result => result?,
        }
        Ok(Some(ban))
    }

    /// The ban, or that of the one address where its /64 holds machines of ours too: who shares our network attacks no
    /// less.
    fn narrowed(&self, ban: Ban, source: IpAddr) -> Ban {
        match self.protected.check(&ban) {
            Ok(()) => ban,
            Err(_) => Ban { prefix: IpNet::from(source.to_canonical()), ..ban },
        }
    }

    /// Holds in the kernel and for open connections at once, for new requests from [`Enforcer::publish`] on.
    ///
    /// # Errors
    /// See [`BanError`]. Where only the kernel fails, user space enforces the ban all the same.
    pub fn ban(&mut self, ban: Ban, force: Force) -> Result<(), BanError> {
        if force == Force::No {
            self.protected.check(&ban)?;
        }
        self.check_scope(ban.scope)?;
        self.bans.add(ban.clone())?;
        self.is_stale = true;
        let written = self.write_block(&ban);
        for worker in &self.workers {
            // Of 100,000 at once not all go through the queue.
            self.is_missed |= worker.try_send(Command::CloseBanned(ban.clone())).is_err();
        }
        written.map_err(BanError::Filter)
    }

    /// A ban that control says. One of our own that lasts at least as long stays as it is. Whether the ban holds, or means
    /// nothing here.
    pub fn ban_of_fleet(&mut self, ban: Ban, by_rules: bool, now: Mono) -> bool {
        let ends = |expires: Option<Mono>| expires.unwrap_or(Mono(u64::MAX));
        let own = self.bans.live(ban.scope, ban.prefix, now).filter(|own| own.origin != BanOrigin::Fleet);
        let is_covered = own.is_some_and(|own| ends(own.expires) >= ends(ban.expires));
        let spares = by_rules && kernel_sync::reaches_unblocking(&self.config, ban.scope);
        if is_covered || spares || !self.plan.serves(ban.scope) {
            return true;
        }
        let (prefix, scope) = (ban.prefix, ban.scope);
        match self.ban(ban, Force::No) {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%prefix, %scope, error = chain(&error), "ban of the fleet not enforced");
                false
            }
        }
    }

    /// As [`Enforcer::unban`], to be followed by [`Enforcer::publish`].
    ///
    /// # Errors
    /// As there.
    pub fn lift(&mut self, scope: BanScope, prefix: IpNet) -> Result<(), BanError> {
        let ban = self.bans.remove(scope, prefix).ok_or(BanError::NoBan)?;
        self.repeaters.forgive(scope, prefix);
        self.is_stale = true;
        self.remove_block(&ban).map_err(BanError::Filter)
    }

    /// # Errors
    /// There is no such ban, or the kernel's entry cannot be removed.
    pub fn unban(&mut self, scope: BanScope, prefix: IpNet) -> Result<Ban, BanError> {
        let ban = self.bans.remove(scope, prefix).ok_or(BanError::NoBan)?;
        self.repeaters.forgive(scope, prefix);
        self.is_stale = true;
        self.publish();
        self.remove_block(&ban).map_err(BanError::Filter)?;
        Ok(ban)
    }

    /// Takes away what has run out. The data path ignores it already; this frees its room. Publishes what is not yet.
    pub fn reap(&mut self, now: Mono) {
        let over = self.bans.reap(now);
        self.is_stale |= !over.is_empty();
        for ban in &over {
            if let Err(error) = self.remove_block(ban) {
                tracing::warn!(prefix = %ban.prefix, error = chain(&error), "expired ban stays in the kernel's list");
            }
        }
        self.publish();
    }

    fn check_scope(&self, scope: BanScope) -> Result<(), BanError> {
        match scope {
            BanScope::Address(address) if !self.plan.serves(scope) => Err(BanError::NoAddress(address)),
            BanScope::Tenant(tenant) if !self.plan.serves(scope) => Err(BanError::NoTenant(tenant.number())),
            _ => Ok(()),
        }
    }

    fn write_block(&self, ban: &Ban) -> Result<(), KernelError> {
        match (self.writer(), kernel_sync::block_entry(ban, &self.plan)) {
            (Some(filter), Some(entry)) => filter.block(entry),
            _ => Ok(()),
        }
    }

    pub(super) fn remove_block(&self, ban: &Ban) -> Result<(), KernelError> {
        match (self.writer(), self.plan.scope_number(ban.scope)) {
            (Some(filter), Some(scope)) => filter.unblock(scope, ban.prefix),
            _ => Ok(()),
        }
    }
}

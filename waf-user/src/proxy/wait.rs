//! Waits with an end, made cheap for the usual case that nothing has to be waited for, or that a timer's moment only moves
//! on: neither asks the clock's wheel for anything.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// The time was over first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elapsed;

/// Hot: per read and write. A future that often is ready at once, within a time.
///
/// # Errors
/// The time is over.
pub(super) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut future = pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => timeout(limit, future).await.map_err(|_| Elapsed),
    }
}

/// One timer that is set again and again, always to about the same time ahead: moved on, it costs no lock and no place in
/// the wheel.
#[derive(Debug)]
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { sleep: Box::pin(sleep_until(Instant::now())) }
    }
}

impl Alarm {
    /// Goes off after this time.
    pub(super) fn set(&mut self, ahead: Duration) {
        self.sleep.as_mut().reset(Instant::now() + ahead);
    }

    /// Whether it went off; wakes the task then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }

    /// Hot: per request. A future within a time.
    ///
    /// # Errors
    /// The time is over.
    pub(super) async fn within<T>(
        &mut self,
        limit: Duration,
        future: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        let mut future = pin!(future);
        let mut is_set = false;
        poll_fn(|cx| {
            if let Poll::Ready(done) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            if !is_set {
                is_set = true;
                self.set(limit);
            }
            self.poll(cx).map(|()| Err(Elapsed))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn waits_end() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            assert_eq!(within(Duration::ZERO, ready(1)).await, Ok(1));
            assert_eq!(within(SHORT, pending::<u8>()).await, Err(Elapsed));
            // The same alarm, later, earlier and after it went off.
            let mut alarm = Alarm::default();
            assert_eq!(alarm.within(Duration::ZERO, ready(1)).await, Ok(1));
            let soon = async { tokio::time::sleep(SHORT).await };
            assert_eq!(alarm.within(LONG, soon).await, Ok(()));
            assert_eq!(alarm.within(SHORT, pending::<u8>()).await, Err(Elapsed));
            assert_eq!(alarm.within(SHORT, pending::<u8>()).await, Err(Elapsed));
        });
    }
}

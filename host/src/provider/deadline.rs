//! No call of a provider is waited for without end, and one that may succeed when it is made again is.

use std::time::Duration;

use crate::model::Failure;

/// How often a call is made, as long as each failure says that another try may help.
const TRIES: u32 = 3;

/// The pause before the second try; doubled before the third.
const PAUSE: Duration = Duration::from_millis(250);

/// How long each kind of call may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    pub(super) prepare: Duration,
    pub(super) create: Duration,
    pub(super) download: Duration,
    pub(super) cancel: Duration,
    pub(super) destroy: Duration,
}

impl Deadlines {
    /// `limit` is what the configuration says of a single command (`timeout_secs`). Ending things is bounded more
    /// tightly: a person is waiting for their terminal by then.
    pub(super) fn new(limit: Option<Duration>) -> Self {
        let limit = limit.unwrap_or(Duration::from_secs(3600));
        Self {
            prepare: limit,
            create: limit,
            download: limit,
            cancel: limit.min(Duration::from_secs(15)),
            destroy: limit.min(Duration::from_secs(60)),
        }
    }
}

/// Waits for a call of a provider. When time is up the call's instance is dropped, and with it what it was running.
pub(super) async fn within<T>(
    limit: Duration,
    provider: &str,
    function: &str,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
        Err(Failure::new("deadline", format!("`{function}` of provider `{provider}` did not end within {limit:?}"))
            .with_help("see what its command waits for, or raise `timeout_secs` in [provider]")
            .retryable())
    })
}

/// Makes a call that may be made again, up to three times, while its failures say that this may help.
pub(super) async fn persistently<T, C>(call: impl Fn() -> C) -> Result<T, Failure>
where
    C: Future<Output = Result<T, Failure>>,
{
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match call().await {
            Err(failure) if failure.retryable => {
                tracing::debug!("trying again in {pause:?}: {failure}");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    call().await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn tries(failure: Failure, failures: u32) -> (Result<u32, Failure>, u32) {
        let tried = AtomicU32::new(0);
        let result = persistently(async || {
            let number = tried.fetch_add(1, Ordering::Relaxed) + 1;
            if number <= failures { Err(failure.clone()) } else { Ok(number) }
        })
        .await;
        (result, tried.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn only_what_may_help_is_tried_again() {
        let busy = Failure::new("busy", "it is busy").retryable();
        assert_eq!(tries(busy.clone(), 2).await, (Ok(3), 3));
        assert_eq!(tries(busy.clone(), 9).await, (Err(busy), 3));
        let wrong = Failure::new("wrong", "it is wrong");
        assert_eq!(tries(wrong.clone(), 9).await, (Err(wrong), 1));
    }
}

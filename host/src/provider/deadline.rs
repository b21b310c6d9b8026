//! No call of a provider is waited for without end.

use std::time::Duration;

use crate::model::Failure;

/// The failure of a call that took too long and was cut off.
pub(crate) const DEADLINE: &str = "deadline";

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
        Err(Failure::new(DEADLINE, format!("`{function}` of provider `{provider}` did not end within {limit:?}"))
            .with_help("see what its command waits for, or raise `timeout_secs` in [provider]")
            .retryable())
    })
}

//! Destroys sandboxes: those that break in the course of a run, and in the end all that are left.

use tokio::task::JoinSet;

use crate::model::Failure;
use crate::provider::Provider;

/// Destructions that are under way, or are over and nobody has asked after.
#[derive(Default)]
pub(super) struct Destructions(JoinSet<Tried>);

/// The sandboxes of one call, where it failed, and why.
type Tried = Result<(), (Vec<String>, Failure)>;

impl Destructions {
    /// Begins to destroy sandboxes while the run goes on.
    pub(super) fn begin(&mut self, provider: &Provider, ids: Vec<String>) {
        let provider = provider.clone();
        self.0.spawn(async move {
            let tried = provider.destroy(&ids).await;
            tried.map_err(|failure| (ids, failure))
        });
    }

    /// Destroys these, and what an earlier try did not destroy. Gives why some may be left. May be broken off and called
    /// again.
    pub(super) async fn complete(&mut self, provider: &Provider, mut ids: Vec<String>) -> Vec<Failure> {
        while let Some(tried) = self.0.try_join_next() {
            if let Ok(Err((stubborn, _))) = tried {
                ids.extend(stubborn);
            }
        }
        if !ids.is_empty() {
            // In one call: the provider knows best how many it can end at once.
            self.begin(provider, ids);
        }
        let mut failures = Vec::new();
        while let Some(tried) = self.0.join_next().await {
            if let Ok(Err((_, failure))) = tried {
                failures.push(failure);
            }
        }
        failures
    }
}

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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::RunId;
    use crate::provider::SandboxSpec;
    use crate::provider::default::{DefaultConfig, DefaultProvider};

    /// How many sandboxes are destroyed of two, where a first try at one of them failed; why some may be left.
    async fn destroyed(destroy_command: &str) -> (usize, Vec<Failure>) {
        let place = tempfile::tempdir().expect("a directory");
        let provider = DefaultProvider::new(DefaultConfig {
            working_dir: Some(place.path().to_owned()),
            create_command: "mktemp --dry-run boxXXXXXX".to_owned(),
            exec_command: "sh -c {command}".to_owned(),
            destroy_command: destroy_command.to_owned(),
            ..DefaultConfig::default()
        });
        let (broken, sound) = (created(provider.as_ref()).await, created(provider.as_ref()).await);
        let mut destructions = Destructions::default();
        let busy = Failure::new("destroy-failed", "it is busy");
        let failed = destructions.0.spawn(async move { Err((vec![broken], busy)) });
        while !failed.is_finished() {
            tokio::task::yield_now().await;
        }
        let failures = destructions.complete(provider.as_ref(), vec![sound]).await;
        let gone = std::fs::read_to_string(place.path().join("gone")).unwrap_or_default();
        (gone.lines().collect::<HashSet<_>>().len(), failures)
    }

    async fn created(provider: &Provider) -> String {
        let spec = SandboxSpec {
            name: "box".into(),
            slot: 0,
            run_id: RunId::new("run".to_owned()),
            image: None,
            env: Vec::new(),
            copy_dirs: Vec::new(),
            cwd: None,
            isolated: false,
        };
        provider.create(spec).await.expect("it comes up").id().to_owned()
    }

    #[tokio::test]
    async fn what_was_not_destroyed_at_once_is_destroyed_in_the_end() {
        assert_eq!(destroyed("echo {sandbox_id} >>gone").await, (2, vec![]));
    }

    #[tokio::test]
    async fn what_is_left_in_the_end_is_told() {
        let (_, failures) = destroyed("echo still busy >&2; exit 1").await;
        assert!(failures.iter().any(|failure| failure.message.contains("still busy")), "{failures:?}");
    }
}

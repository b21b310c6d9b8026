//! How containers are removed, so that none is left.

use offload_plugin::prelude::*;

use crate::container::RUN_LABEL;
use crate::engine::Engine;
use crate::trouble;

/// How often what is left is removed again: one whose removal is under way already is gone soon.
const ROUNDS: usize = 3;

/// Removes containers with their anonymous volumes; those that are gone are no failure.
///
/// # Errors
/// `destroy-failed`: names what is left, with what the engine says.
pub fn remove(engine: &Engine, names: &[String]) -> Result<(), Failure> {
    let mut left = names.to_vec();
    let mut rounds = 0;
    while !left.is_empty() {
        let removal = ["rm", "--force", "--volumes"].into_iter().map(str::to_owned).chain(left.iter().cloned());
        let finished = engine.command(removal).capture()?;
        // How it ended says nothing: one name that means nothing to it is enough for podman 4 to leave all others alone, and to end as
        // if it had not.
        left = remaining(engine, left)?;
        rounds += 1;
        if rounds == ROUNDS && !left.is_empty() {
            let message = format!("removing {} failed", left.join(", "));
            let help = format!("remove what is left by hand: {} rm -f {}", engine.shown(), left.join(" "));
            return Err(trouble::failure("destroy-failed", message, &finished).with_help(help).retryable());
        }
    }
    Ok(())
}

fn remaining(engine: &Engine, names: Vec<String>) -> Result<Vec<String>, Failure> {
    let finished =
        engine.command(["ps", "--all", &format!("--filter=label={RUN_LABEL}"), "--format={{.Names}}"]).capture()?;
    if finished.exit != Exit::Code(0) {
        let message = format!("whether {} are removed cannot be known", names.join(", "));
        return Err(trouble::failure("destroy-failed", message, &finished));
    }
    let listed = String::from_utf8_lossy(&finished.stdout);
    let listed: Vec<&str> = listed.lines().map(str::trim).collect();
    Ok(names.into_iter().filter(|name| listed.contains(&name.as_str())).collect())
}

//! What a plugin needs: `use offload_plugin::prelude::*;`.

pub use schemars::{self, JsonSchema};
pub use serde::{Deserialize, Serialize};

pub use crate::doctor::{Doctor, Finding};
pub use crate::framework::{Discovery, FinishedRun, Framework, ResultFile, RunPlan};
pub use crate::io::{Input, Stdio};
pub use crate::observer::{Event, Observer, UnitListing};
pub use crate::plugin::Plugin;
pub use crate::provider::{Created, ImageSpec, Prepared, Provider, SandboxSpec, Transfer};
pub use crate::reaper::{Leftover, Reaper};
pub use crate::types::{Captured, Command, Context, Exit, Failure, Found, Outcome, Test};
pub use crate::worker::{Launch, Worker};
pub use crate::{host, process};

//! The provider's table in offload.toml.

use offload_plugin::prelude::*;

/// Keys of `[provider]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

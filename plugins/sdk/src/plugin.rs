//! What a plugin says of itself, and how one comes to be.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::bindings::plugin::exports::offload::plugin::metadata::{Guest, Info};
use crate::settings;
use crate::types::Failure;

/// A plugin. Its value is one instance: of a framework one discovery, one batch or one worker, of a provider one call. So
/// what belongs together within one of these can be kept in fields, and nothing else can.
pub trait Plugin: Sized + 'static {
    /// The plugin's table in offload.toml. Its documentation comments are what people read below an error, and its
    /// attributes are what the host checks: see [`settings`].
    type Settings: DeserializeOwned + JsonSchema;

    /// What `type` in offload.toml says.
    const NAME: &'static str;
    /// Write `env!("CARGO_PKG_VERSION")`, which is the version of the crate that it stands in.
    const VERSION: &'static str;
    /// One line about what it does.
    const DESCRIPTION: &'static str;
    /// Capabilities it asks for, such as `run:docker` or `env:TOKEN`; processes that are not asked for are denied.
    const REQUESTS: &'static [&'static str] = &[];

    /// An instance for these settings, which have the shape that [`Self::Settings`] describes.
    ///
    /// # Errors
    /// Settings that cannot work all the same, with the key and what to change.
    fn new(settings: Self::Settings) -> Result<Self, Failure>;
}

impl<P: Plugin> Guest for P {
    fn describe() -> Info {
        Info {
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
            description: P::DESCRIPTION.to_owned(),
            settings_schema: settings::schema::<P::Settings>(P::NAME),
            requests: P::REQUESTS.iter().map(|&request| request.to_owned()).collect(),
        }
    }
}

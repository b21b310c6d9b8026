//! The components that come with offload, as `build.rs` left them.

pub(super) struct Embedded {
    /// `provider-local`, `framework-pytest`, …
    pub(super) name: &'static str,
    pub(super) bytes: &'static [u8],
    /// BLAKE3 of `bytes`, taken at build time.
    pub(super) hash: [u8; 32],
}

include!(concat!(env!("OUT_DIR"), "/components.rs"));

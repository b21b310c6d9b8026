//! Components from the web: fetched once, kept by their digest.

use std::io::Read;
use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig};

use super::cache;
use super::error::{Mismatch, PluginErrorKind};
use super::locator::MOST_BYTES;
use crate::config::Digest;
use crate::user_folder;

/// How long a download may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a server may take to answer at all.
const ANSWER: Duration = Duration::from_secs(30);

/// The component with this digest, from the cache or else from its address.
pub(super) fn cached(url: &str, expected: Digest) -> Result<Vec<u8>, PluginErrorKind> {
    let file = user_folder::caches().map(|folder| folder.join(format!("{expected}.wasm")));
    if let Some(bytes) = file.as_ref().and_then(|file| std::fs::read(file).ok())
        && Digest::of(&bytes) == expected
    {
        return Ok(bytes);
    }
    let bytes = fetch(url)?;
    let found = Digest::of(&bytes);
    if found != expected {
        let place = "the configuration, for what this address gives";
        return Err(PluginErrorKind::WrongDigest(Box::new(Mismatch { found, expected, place })));
    }
    if let Some(file) = &file
        && let Err(error) = cache::write(file, &[&bytes])
    {
        tracing::debug!("the plugin from {url} was not kept in {}: {error}", file.display());
    }
    Ok(bytes)
}

/// What an address gives now. Proxies are those of the environment; certificates are trusted as this machine trusts them.
pub(super) fn fetch(url: &str) -> Result<Vec<u8>, PluginErrorKind> {
    let failed = |why: String| PluginErrorKind::NotFetched { url: url.to_owned(), why };
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .timeout_connect(Some(ANSWER))
        .timeout_recv_response(Some(ANSWER))
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .user_agent(concat!("offload/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let response = agent.get(url).call().map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    let body = response.into_body().into_reader().take(MOST_BYTES + 1).read_to_end(&mut bytes);
    body.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(failed(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}

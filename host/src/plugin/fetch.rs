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
    let bytes = fetch(url, false)?;
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

/// What an address gives now, where no digest says what that has to be. Nobody on the network may choose it, so it has to be encrypted.
///
/// # Errors
/// It cannot be had, or only without encryption, unless it is of this machine.
pub(super) fn unverified(url: &str) -> Result<Vec<u8>, PluginErrorKind> {
    fetch(url, !is_of_this_machine(url))
}

/// Proxies are those of the environment; certificates are trusted as this machine trusts them.
fn fetch(url: &str, only_encrypted: bool) -> Result<Vec<u8>, PluginErrorKind> {
    let shown = without_password(url);
    let failed = |why: String| PluginErrorKind::NotFetched { url: shown.clone(), why: why.replace(url, &shown) };
    if only_encrypted && !url.starts_with("https://") {
        let why = "without encryption anybody on the way could send another, and no digest says which it has to be";
        return Err(failed(why.to_owned()));
    }
    let agent = ureq::Agent::config_builder()
        // Also after it was sent elsewhere.
        .https_only(only_encrypted)
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

/// An address as it may be shown.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{}", &rest[end..]),
        None => url.to_owned(),
    }
}

fn is_of_this_machine(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("https://me:secret@host/x.wasm", "https://***@host/x.wasm"),
            ("https://token@host", "https://***@host"),
            ("https://host/a@b", "https://host/a@b"),
            ("no address", "no address"),
        ] {
            assert_eq!(without_password(url), shown);
        }
        let error = fetch("http://me:secret@127.0.0.1:1/x.wasm", false).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn what_anybody_could_change_is_not_fetched() {
        let error = unverified("http://example.com/x.wasm").unwrap_err().to_string();
        assert!(error.contains("without encryption anybody on the way could send another"), "{error}");
        for url in ["http://127.0.0.1:8/x", "http://[::1]/x", "http://localhost/x"] {
            assert!(is_of_this_machine(url), "{url}");
        }
        for url in ["http://127.0.0.1.example.com/x", "http://localhost@example.com/x", "https://example.com/x"] {
            assert!(!is_of_this_machine(url), "{url}");
        }
    }
}

//! Requests to the service, and what its answers mean.

use std::time::Duration;

use offload_plugin::types::Failure;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wstd::http::{Body, Client, Method, Request, Response, StatusCode};

/// A service that does not take a connection within this time is not there.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Service {
    url: String,
    token: Option<String>,
}

/// Why the service did not do something.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Service {
    pub(crate) fn new(url: &str, token: Option<String>) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), token }
    }

    /// Sends a request; the answer is one of success.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<Response<Body>, Failure> {
        let mut uri = self.url.clone();
        for name in path {
            uri.push('/');
            uri.push_str(segment(name)?);
        }
        let mut request = Request::builder().method(method).uri(&uri).header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| self.failed("unsent", &error.to_string()))?,
            None => Vec::new(),
        };
        let request = request.header("content-length", body.len()).body(body).map_err(|error| {
            self.failed("unsent", &error.to_string())
                .with_help("check `url`, and SANDBOXES_TOKEN if the service has one")
        })?;
        let mut client = Client::new();
        client.set_connect_timeout(PATIENCE);
        let answer =
            client.send(request).await.map_err(|error| self.failed("unreachable", &error.to_string()).retryable())?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.refusal(answer).await) }
    }

    /// Reads an answer to its end.
    pub(crate) async fn read<T: DeserializeOwned>(&self, answer: &mut Response<Body>) -> Result<T, Failure> {
        let bytes = answer.body_mut().contents().await;
        let bytes = bytes.map_err(|error| self.failed("unreachable", &error.to_string()).retryable())?;
        serde_json::from_slice(bytes).map_err(|error| self.failed("unreadable", &error.to_string()))
    }

    /// Something went wrong between the service and here.
    pub(crate) fn failed(&self, code: &str, why: &str) -> Failure {
        Failure::new(code, format!("the service at {} failed: {why}", self.url))
    }

    async fn refusal(&self, mut answer: Response<Body>) -> Failure {
        let status = answer.status();
        let why = match self.read::<Refusal>(&mut answer).await {
            Ok(Refusal { error }) => format!("{error} (status {})", status.as_u16()),
            Err(_) => format!("status {}", status.as_u16()),
        };
        match status {
            StatusCode::NOT_FOUND => self.failed("sandbox-lost", &why),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                self.failed("no-capacity", &why).retryable()
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.failed("unauthorized", &why).with_help(
                "put the service's token into SANDBOXES_TOKEN, and the name of that into [plugins.<name>.allow] env",
            ),
            _ => Failure { retryable: status.is_server_error(), ..self.failed("refused", &why) },
        }
    }
}

/// A part of a path that needs no escaping: ids of the service and of the host are such.
fn segment(name: &str) -> Result<&str, Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.is_empty() && name.bytes().all(is_plain) && !name.starts_with('.') {
        return Ok(name);
    }
    Err(Failure::new("bad-id", format!("{name:?} is no id of this service")))
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn ids_are_plain() {
        assert_eq!(segment("sb-1_a.B"), Ok("sb-1_a.B"));
        for id in ["", "..", "a/b", "a?b", "a b", "ä", "%2e"] {
            assert!(segment(id).is_err(), "{id:?}");
        }
    }
}

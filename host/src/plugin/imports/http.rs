//! `wasi:http`: requests to the hosts that were granted.

use std::sync::Arc;

use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtxView, WasiHttpHooks, WasiHttpView, default_send_request,
};

use crate::plugin::rights::Rights;
use crate::plugin::store::{Denied, State};

/// Holds each request against the rights of the component.
pub struct Gate {
    rights: Arc<Rights>,
    denied: Denied,
}

/// A response, and what still works on its body.
type Exchange = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl Gate {
    pub(in crate::plugin) fn new(rights: Arc<Rights>, denied: Denied) -> Self {
        Self { rights, denied }
    }

    fn admits(&self, uri: &http::Uri) -> bool {
        let port = match (uri.port_u16(), uri.scheme_str()) {
            (Some(port), _) => port,
            (None, Some("http")) => 80,
            (None, _) => 443,
        };
        match self.rights.connect(uri.host().unwrap_or_default(), port) {
            Ok(()) => true,
            Err(denial) => {
                self.denied.note(denial);
                false
            }
        }
    }
}

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Exchange, Error>> + Send> {
        let admitted = self.admits(request.uri());
        Box::new(async move {
            if !admitted {
                return Err(Error::HttpRequestDenied);
            }
            let (response, rest) = default_send_request(request, options).await?;
            let response = response.map(http_body_util::BodyExt::boxed_unsync);
            Ok((response, Box::new(rest) as Box<dyn Future<Output = _> + Send>))
        })
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.gate, table: &mut self.table, ctx: &mut self.http }
    }
}

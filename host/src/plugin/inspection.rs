//! What can be told of a component without using it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cache;
use super::component::{Info, Linked, unloaded};
use super::engine::Runtime;
use super::error::PluginErrorKind;
use super::locator::{Kind, current, locate};
use super::request::Request;
use super::shape::Shape;
use super::source::Source;
use crate::config::Digest;
use crate::model::Failure;

/// A component, looked at from outside and asked what it is.
#[derive(Debug)]
pub struct Inspection {
    pub kind: Kind,
    pub shape: Shape,
    pub info: Info,
    /// What it asks for, and why a request cannot be understood.
    pub requests: Vec<Result<Request, String>>,
    pub bytes: usize,
    pub digest: Digest,
    /// How long it took to have its machine code: compiled, or loaded from the cache.
    pub loading: Duration,
}

/// Loads a component and has it describe itself, without any right.
///
/// # Errors
/// It cannot be loaded, or is of no kind that offload knows.
pub async fn inspect(source: &Source) -> Result<Inspection, Failure> {
    let fail = |kind| unloaded(source, kind);
    let located = locate(source).map_err(fail)?;
    if let Some(refusal) = located.refusal() {
        return Err(fail(refusal).into());
    }
    let runtime = Runtime::get().map_err(|reason| fail(PluginErrorKind::Engine(reason)))?;
    let began = Instant::now();
    let component =
        cache::load(&runtime.engine, &located).map_err(|error| fail(PluginErrorKind::Invalid(format!("{error:#}"))))?;
    let loading = began.elapsed();
    let shape = Shape::of(&runtime.engine, &component);
    let kind = shape.kind().ok_or_else(|| fail(PluginErrorKind::OtherKind { wanted: Kind::Provider, found: None }))?;
    let quiet = Arc::new(|_, _| ());
    let info = Linked::of(kind, source, &located, "{}".into(), quiet)?.describe().await?;
    let requests = info.requests.iter().map(|request| request.parse()).collect();
    let bytes = located.bytes();
    let (bytes, digest) = (bytes.len(), Digest::of(&bytes));
    Ok(Inspection { kind, shape, info, requests, bytes, digest, loading })
}

/// The digest that a component has now: what a pin is to say.
///
/// # Errors
/// It cannot be read or fetched.
pub fn digest(source: &Source) -> Result<Digest, Failure> {
    current(source).map_err(|kind| unloaded(source, kind).into())
}

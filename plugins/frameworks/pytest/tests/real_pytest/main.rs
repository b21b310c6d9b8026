//! The component's commands carried out with a real pytest, as the host would, but without a host.

mod bonds;
mod collection;
mod configuration;
mod endings;
mod identity;
mod outcomes;
mod suite;
mod syntax;

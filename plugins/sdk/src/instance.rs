//! The instance of the plugin that lives in an instance of its component.

use std::any::Any;
use std::cell::RefCell;

use crate::plugin::Plugin;
use crate::types::Failure;
use crate::{host, settings};

thread_local! {
    static INSTANCE: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// Does something with the plugin, which the first call makes from the host's settings. Calls do not nest: no component is
/// entered while it waits for the host.
///
/// # Errors
/// Settings that cannot be read or cannot work, or whatever `call` says.
pub(crate) fn with<P: Plugin, T>(call: impl FnOnce(&mut P) -> Result<T, Failure>) -> Result<T, Failure> {
    INSTANCE.with_borrow_mut(|slot| {
        let instance = match slot {
            Some(instance) => instance,
            None => slot.insert(Box::new(P::new(settings::parse(&host::settings())?)?)),
        };
        call(instance.downcast_mut().expect("a component exports one plugin"))
    })
}

/// As [`with`], for calls that cannot fail: nothing, where there is no plugin to ask. The calls that can fail say why.
pub(crate) fn ask<P: Plugin, T: Default>(call: impl FnOnce(&mut P) -> T) -> T {
    with(|plugin| Ok(call(plugin))).unwrap_or_default()
}

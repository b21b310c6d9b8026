//! What makes a crate a component.

/// Makes a plugin the component that the crate is built into, with what it implements:
///
/// - `export!(MyProvider: Provider);`
/// - `export!(MyProvider: Provider + Reaper + Doctor);`, or with one of the two
/// - `export!(MyFramework: Framework);`
/// - `export!(MyFramework: Framework + Observer);`
/// - `export!(MyFramework: Framework + Observer + Worker);`
///
/// Once in a crate. Natively, where tests run, it only checks that the traits are implemented.
#[macro_export]
macro_rules! export {
    ($plugin:ident: Provider $(;)?) => {
        $crate::__export!($plugin: [$crate::provider::Provider] in plugin provider);
    };
    ($plugin:ident: Provider + Reaper $(;)?) => {
        $crate::__export!($plugin: [$crate::reaper::Reaper] in plugin provider reaper);
    };
    ($plugin:ident: Provider + Doctor $(;)?) => {
        $crate::__export!($plugin: [$crate::doctor::Doctor] in plugin provider doctor);
    };
    ($plugin:ident: Provider + Reaper + Doctor $(;)?) => {
        $crate::__export!($plugin: [$crate::reaper::Reaper, $crate::doctor::Doctor] in plugin provider reaper doctor);
    };
    ($plugin:ident: Framework $(;)?) => {
        $crate::__export!($plugin: [$crate::framework::Framework] in plugin framework);
    };
    ($plugin:ident: Framework + Observer $(;)?) => {
        $crate::__export!($plugin: [$crate::observer::Observer] in plugin framework observer);
    };
    ($plugin:ident: Framework + Observer + Worker $(;)?) => {
        $crate::__export!($plugin: [$crate::worker::Worker] in plugin framework observer worker);
    };
    ($($anything:tt)*) => {
        compile_error!(
            "write `export!(MyPlugin: …);` with `Provider`, `Provider + Reaper`, `Provider + Doctor`, \
             `Provider + Reaper + Doctor`, `Framework`, `Framework + Observer` or `Framework + Observer + Worker`"
        );
    };
}

/// The plugin in these worlds of [`bindings`](crate::bindings). The names of a component's exports are none that a native
/// linker takes.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ident: [$($role:path),+] in $($world:ident)+) => {
        const _: () = {
            $({
                const fn implements<P: $role>() {}
                implements::<$plugin>();
            })+
        };
        #[cfg(target_family = "wasm")]
        const _: () = {
            $($crate::bindings::$world::export!($plugin with_types_in $crate::bindings::$world);)+
        };
    };
}

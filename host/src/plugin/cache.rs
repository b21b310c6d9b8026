//! Compiled components on disk, so that only the first run of a new version compiles anything.
//!
//! A file is named by a hash of what its contents depend on: the component, wasmtime's version, the engine's settings
//! and the processor. It starts with a hash of the rest, so a damaged or cut-off file is compiled anew.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::locator::Located;
use crate::user_folder;

/// The compiled form of a component: from the cache, or compiled and then put there.
pub(super) fn load(engine: &Engine, located: &Located) -> wasmtime::Result<Component> {
    load_with(user_folder::caches().as_deref(), engine, located)
}

fn load_with(folder: Option<&Path>, engine: &Engine, located: &Located) -> wasmtime::Result<Component> {
    let file = folder.map(|folder| folder.join(key(engine, located)));
    if let Some(file) = &file
        && let Some(component) = read(engine, file)
    {
        return Ok(component);
    }
    let component = Component::new(engine, located.bytes())?;
    if let Some(file) = &file
        && let Err(error) = component.serialize().and_then(|code| {
            let hash = blake3::hash(&code);
            Ok(write(file, &[hash.as_bytes(), &code])?)
        })
    {
        tracing::debug!("the compiled plugin was not kept in {}: {error:#}", file.display());
    }
    Ok(component)
}

fn key(engine: &Engine, located: &Located) -> String {
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    format!("{}-{:016x}.cwasm", located.hash.to_hex(), settings.finish())
}

fn read(engine: &Engine, file: &Path) -> Option<Component> {
    if !is_ours(file) {
        return None;
    }
    let bytes = std::fs::read(file).ok()?;
    let (hash, code) = bytes.split_at_checked(blake3::OUT_LEN)?;
    if blake3::hash(code).as_bytes() != hash {
        tracing::debug!("{} is damaged: compiling anew", file.display());
        return None;
    }
    // SAFETY: `deserialize` runs what it is given as machine code. The file was written by `write` below: it lies in a
    // folder that only this user can write to and belongs to this user (`is_ours`), its contents carry their hash, and
    // wasmtime itself refuses what another version or other settings made. Whoever can forge it already is this user.
    #[expect(unsafe_code, reason = "loading what this program compiled earlier")]
    let component = unsafe { Component::deserialize(engine, code) };
    component.ok()
}

/// Whether nobody else could have written the file.
fn is_ours(file: &Path) -> bool {
    let user = nix::unistd::geteuid().as_raw();
    let private = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.uid() == user && metadata.mode() & 0o022 == 0)
    };
    private(file) && file.parent().is_some_and(private)
}

/// Writes a file of the cache, whole or not at all.
pub(super) fn write(file: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Another process may do the same at this moment: each writes a file of its own and the last rename wins.
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    parts.iter().try_for_each(|part| unfinished.write_all(part))?;
    unfinished.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::super::engine::Runtime;
    use super::super::locator::{Kind, locate};
    use super::super::source::Source;
    use super::*;

    /// Loads a component with a cache folder of its own, does something to the cached file, and loads it again. Says
    /// whether the file was replaced.
    fn replaced_after(damage: impl FnOnce(&Path)) -> bool {
        let engine = &Runtime::get().unwrap().engine;
        let located = locate(&Source::built_in(Kind::Provider, "local")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        load_with(Some(folder.path()), engine, &located).unwrap();
        let file = folder.path().join(key(engine, &located));
        let before = std::fs::metadata(&file).unwrap().ino();
        damage(&file);
        load_with(Some(folder.path()), engine, &located).unwrap();
        assert!(read(engine, &file).is_some(), "what is in the cache in the end can be used");
        std::fs::metadata(&file).unwrap().ino() != before
    }

    #[test]
    fn a_whole_file_is_used_as_it_is() {
        assert!(!replaced_after(|_| ()));
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        assert!(replaced_after(|file| {
            let mut bytes = std::fs::read(file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(file, bytes).unwrap();
        }));
    }

    #[test]
    fn a_cut_off_file_is_replaced() {
        assert!(replaced_after(|file| {
            let bytes = std::fs::read(file).unwrap();
            std::fs::write(file, &bytes[..10]).unwrap();
        }));
    }

    #[test]
    fn a_file_that_others_may_write_is_replaced() {
        assert!(replaced_after(|file| std::fs::set_permissions(file, Permissions::from_mode(0o666)).unwrap()));
    }
}

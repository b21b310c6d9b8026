//! Compiled components on disk, so that only the first run of a new version compiles anything.
//!
//! A file is named by what its contents depend on: the component, wasmtime's version, the engine's settings and the processor. It
//! starts with a digest of that and of the rest under a key of this user's, so one that is damaged, cut off, put there by another
//! or copied from elsewhere in the cache is compiled anew.

use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::compiler;
use super::locator::Located;
use crate::{foreign_file, user_folder};

/// Bytes of the key.
const KEY: usize = blake3::KEY_LEN;

/// No component has as much machine code.
const MOST_CODE: u64 = 4 << 30;

/// The compiled form of a component: from the cache, or compiled and then put there.
pub(super) fn load(engine: &Engine, located: &Located) -> wasmtime::Result<Component> {
    load_with(user_folder::caches().as_deref(), engine, located)
}

fn load_with(folder: Option<&Path>, engine: &Engine, located: &Located) -> wasmtime::Result<Component> {
    let entry = folder.and_then(|folder| Entry::of(folder, engine, located));
    if let Some(component) = entry.as_ref().and_then(|entry| entry.read(engine)) {
        return Ok(component);
    }
    let code = if located.is_built_in() {
        engine.precompile_component(&located.bytes())
    } else {
        compiler::machine_code(engine, &located.bytes())
    };
    let code = code?;
    // SAFETY: `deserialize` runs what it is given as machine code. This was made a moment ago, by this process or by one that it
    // started for that.
    #[expect(unsafe_code, reason = "loading what this program has just compiled")]
    let component = unsafe { Component::deserialize(engine, &code) }?;
    if let Some(entry) = &entry
        && let Err(error) = entry.write(&code)
    {
        tracing::debug!("the compiled plugin was not kept in {}: {error:#}", entry.file.display());
    }
    Ok(component)
}

/// One file of the cache: a digest under a key that only this user has, of what it is the code of and of the code.
struct Entry {
    file: PathBuf,
    key: [u8; KEY],
    /// What the code depends on.
    of: String,
}

impl Entry {
    /// Nothing where there is no key: then nothing can be kept.
    fn of(folder: &Path, engine: &Engine, located: &Located) -> Option<Self> {
        let mut settings = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut settings);
        let of = format!("{}-{:016x}", located.hash.to_hex(), settings.finish());
        let key = key(folder).inspect_err(|error| tracing::debug!("there is no key in {}: {error}", folder.display()));
        Some(Self { file: folder.join(format!("{of}.cwasm")), key: key.ok()?, of })
    }

    fn digest(&self, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(self.of.len() as u64).to_le_bytes()).update(self.of.as_bytes()).update(code);
        hasher.finalize()
    }

    fn read(&self, engine: &Engine) -> Option<Component> {
        let bytes = private(&self.file).ok()?;
        let (digest, code) = bytes.split_at_checked(blake3::OUT_LEN)?;
        if self.digest(code) != *<&[u8; blake3::OUT_LEN]>::try_from(digest).ok()? {
            tracing::debug!("{} is damaged: compiling anew", self.file.display());
            return None;
        }
        // SAFETY: `deserialize` runs what it is given as machine code. The file was written by `write` below: it lies in a
        // folder that only this user can write to and belongs to this user (`private`), it carries a digest of this code for this
        // component and these settings under a key that only this user can read, and wasmtime itself refuses what another version or
        // other settings made. Only this user could forge it.
        #[expect(unsafe_code, reason = "loading what this program compiled earlier")]
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    fn write(&self, code: &[u8]) -> io::Result<()> {
        write(&self.file, &[self.digest(code).as_bytes(), code])
    }
}

/// The key of this user's cache, made where there is none.
fn key(folder: &Path) -> io::Result<[u8; KEY]> {
    let file = folder.join("key");
    let known = || private(&file)?.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData));
    known().or_else(|_| {
        let (one, other) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        write(&file, &[one.as_bytes(), other.as_bytes()])?;
        // Another process may have done the same at this moment, and later than this one.
        known()
    })
}

/// The contents of a file that only this user could have written.
fn private(file: &Path) -> io::Result<Vec<u8>> {
    let user = nix::unistd::geteuid().as_raw();
    let is_private = |metadata: Metadata| metadata.uid() == user && metadata.mode() & 0o022 == 0;
    let opened = foreign_file::open(file)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    if is_private(opened.metadata()?) && is_private(std::fs::metadata(folder)?) {
        foreign_file::read(opened, MOST_CODE)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// Writes a file of the cache, whole or not at all.
pub(super) fn write(file: &Path, parts: &[&[u8]]) -> io::Result<()> {
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
        let entry = Entry::of(folder.path(), engine, &located).unwrap();
        let file = entry.file.clone();
        let before = std::fs::metadata(&file).unwrap().ino();
        damage(&file);
        load_with(Some(folder.path()), engine, &located).unwrap();
        assert!(entry.read(engine).is_some(), "what is in the cache in the end can be used");
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

    #[test]
    fn a_file_that_was_made_under_another_key_is_replaced() {
        assert!(replaced_after(|file| {
            let other = tempfile::tempdir().unwrap();
            let engine = &Runtime::get().unwrap().engine;
            let located = locate(&Source::built_in(Kind::Provider, "local")).unwrap();
            load_with(Some(other.path()), engine, &located).unwrap();
            std::fs::copy(other.path().join(file.file_name().unwrap()), file).unwrap();
        }));
    }

    #[test]
    fn a_file_of_another_component_is_replaced() {
        assert!(replaced_after(|file| {
            let engine = &Runtime::get().unwrap().engine;
            let folder = file.parent().unwrap();
            let other = locate(&Source::built_in(Kind::Provider, "default")).unwrap();
            load_with(Some(folder), engine, &other).unwrap();
            std::fs::copy(Entry::of(folder, engine, &other).unwrap().file, file).unwrap();
        }));
    }

    #[test]
    fn the_key_is_this_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = key(folder.path()).unwrap();
        assert_eq!(key(folder.path()).unwrap(), first);
        let file = folder.path().join("key");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        std::fs::write(&file, "short").unwrap();
        assert_ne!(key(folder.path()).unwrap(), first);
    }
}

//! Files that appear whole or not at all.

use std::{
    fs::{self, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::ReportError;

/// Writes next to `path` and renames, so that a reader meets the earlier file or this one, never a half.
pub(super) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ReportError> {
    write_and_rename(path, write).map_err(ReportError::write(path))
}

fn write_and_rename(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let file = tempfile::Builder::new()
        .prefix(".offload-")
        // Readable for whom the umask allows: reports are often collected by another user.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    let mut buffered = BufWriter::with_capacity(64 * 1024, file);
    write(&mut buffered)?;
    let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

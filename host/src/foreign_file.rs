//! Files that a test, a component, a sandbox or a repository made: anything may be in their place.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptionsExt as _};
use nix::errno::Errno;
use nix::fcntl::OFlag;

/// Opening a pipe without a writer must not wait, and a terminal must not become the controlling terminal of this process.
const CAREFULLY: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY);

/// Opens a regular file, and no other.
///
/// # Errors
/// It is not there, it is a link or something else than a file, or it may not be read.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = CAREFULLY.union(OFlag::O_NOFOLLOW).bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    opened.map_err(without_links).and_then(only_regular)
}

/// Opens a regular file below a directory: no link leads out of there, also where somebody changes it meanwhile.
///
/// # Errors
/// It is not there, it is something else than a file or elsewhere, or it may not be read.
pub fn open_below(directory: &Path, path: &Path) -> io::Result<File> {
    let directory = Dir::open_ambient_dir(directory, ambient_authority())?;
    let mut options = cap_std::fs::OpenOptions::new();
    options.read(true).custom_flags(CAREFULLY.bits());
    only_regular(directory.open_with(path, &options)?.into_std())
}

/// Opens a regular file to write it, or makes it, for this user alone. What was in it stays, unless it is to be emptied.
///
/// # Errors
/// It is a link or something else than a file, or it may not be written.
pub fn create(path: &Path, emptied: bool) -> io::Result<File> {
    let flags = CAREFULLY.union(OFlag::O_NOFOLLOW).bits();
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600).custom_flags(flags);
    // One that is to be emptied is so only once it is known to be a file.
    let file = options.append(true).open(path).map_err(without_links).and_then(only_regular)?;
    // Somebody else's stays as open as it is.
    let _ = file.set_permissions(Permissions::from_mode(0o600));
    if emptied {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Makes a directory unless there is one already. A link to a directory does not count as one.
///
/// # Errors
/// A link or something else is in its place, or it cannot be made.
pub fn create_dir(path: &Path) -> io::Result<()> {
    // A slash at the end would have a link followed.
    let path: PathBuf = path.components().collect();
    match std::fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(metadata) if metadata.is_symlink() => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a link")),
        Ok(_) => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no directory")),
        Err(_) => std::fs::create_dir_all(path),
    }
}

/// All of a file, if that is at most so many bytes.
///
/// # Errors
/// It has more, or cannot be read.
pub fn read(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.take(most + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(contents)
}

fn without_links(error: io::Error) -> io::Error {
    // FreeBSD's way to say it is EMLINK; Linux and macOS say ELOOP.
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) => io::Error::new(io::ErrorKind::InvalidInput, "it is a link"),
        _ => error,
    }
}

fn only_regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;

    use super::*;

    fn place() -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a directory");
        fs::create_dir(place.path().join("inner")).expect("a directory");
        for (name, text) in [("secret", "secret"), ("inner/plain", "plain")] {
            fs::write(place.path().join(name), text).expect("a file");
        }
        for (to, link) in [("../secret", "out"), ("plain", "in"), ("/dev/zero", "zero"), ("..", "up")] {
            symlink(to, place.path().join("inner").join(link)).expect("a link");
        }
        nix::unistd::mkfifo(&place.path().join("inner/pipe"), Mode::S_IRWXU).expect("a pipe");
        place
    }

    #[test]
    fn only_regular_files_are_opened() {
        let place = place();
        let open = |name: &str| open(&place.path().join("inner").join(name));
        assert_eq!(read(open("plain").expect("a file"), 5).expect("read"), b"plain");
        for name in ["out", "in", "zero"] {
            assert_eq!(open(name).expect_err(name).to_string(), "it is a link");
        }
        for name in ["pipe", ".", "up/."] {
            assert_eq!(open(name).expect_err(name).to_string(), "it is no regular file", "{name}");
        }
        assert_eq!(open("none").expect_err("nothing").kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn nothing_leads_out() {
        let place = place();
        let open = |name: &str| open_below(&place.path().join("inner"), Path::new(name));
        for name in ["plain", "in", "./plain", "../inner/plain"] {
            assert_eq!(open(name).is_ok(), !name.starts_with(".."), "{name}");
        }
        for name in ["out", "zero", "up/secret", "../secret", "/etc/passwd", "pipe"] {
            assert!(open(name).is_err(), "{name}");
        }
    }

    #[test]
    fn nothing_is_written_elsewhere() {
        let place = place();
        let inner = place.path().join("inner");
        for name in ["out", "in", "zero", "pipe", "."] {
            assert!(create(&inner.join(name), true).is_err(), "{name}");
        }
        let made = create(&inner.join("plain"), true).expect("a file").metadata().expect("of it");
        assert_eq!((made.len(), made.permissions().mode() & 0o777), (0, 0o600));
        assert_eq!(fs::read(place.path().join("secret")).expect("read"), b"secret");
        assert_eq!(create_dir(&inner.join("up")).expect_err("a link").to_string(), "it is a link");
        assert_eq!(create_dir(&inner.join("plain")).expect_err("a file").to_string(), "it is no directory");
        create_dir(&inner.join("new")).expect("made");
        create_dir(&inner).expect("there");
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let zero = File::open("/dev/zero").expect("a device");
        assert_eq!(read(zero, 10).expect_err("endless").to_string(), "it has more than 10 bytes");
    }
}

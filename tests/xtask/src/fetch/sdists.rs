//! Python source distributions, whose suites come with them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{program, python};

struct Sdist {
    requirement: &'static str,
    /// The archive without `.tar.gz`, which is also the directory in it.
    stem: &'static str,
    sha256: &'static str,
}

const SDISTS: &[Sdist] = &[
    Sdist {
        requirement: "packaging==25.0",
        stem: "packaging-25.0",
        sha256: "d443872c98d677bf60f6a1f2f8c1cb748e8fe762d2bf9d3148b5599295b0fc4f",
    },
    Sdist {
        requirement: "attrs==25.3.0",
        stem: "attrs-25.3.0",
        sha256: "75d7cefc7fb576747b2c81b4442d4d4a1ce0900973527c011d1030fd3bf4af1b",
    },
    Sdist {
        requirement: "more-itertools==10.7.0",
        stem: "more_itertools-10.7.0",
        sha256: "9fddd5403be01a94b204faadcff459ec3568cf110265d3c54323e1e866ad29d3",
    },
    Sdist {
        requirement: "click==8.2.1",
        stem: "click-8.2.1",
        sha256: "27c491cc05d968d271d5a1db13e3b5a184636d9d930f148c50b038f0d0646202",
    },
];

/// Brings what is missing into `dir/py`.
pub fn fetch(dir: &Path) -> Result<()> {
    let unpacked = dir.join("py");
    let missing: Vec<&Sdist> = SDISTS.iter().filter(|sdist| !unpacked.join(sdist.stem).is_dir()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let archives = dir.join("sdist");
    fs::create_dir_all(&archives).with_context(|| format!("failed to make {}", archives.display()))?;
    fs::create_dir_all(&unpacked).with_context(|| format!("failed to make {}", unpacked.display()))?;
    download(&missing, &archives)?;
    for sdist in missing {
        unpack(&archives.join(format!("{}.tar.gz", sdist.stem)), &unpacked, sdist.stem)?;
    }
    Ok(())
}

/// pip itself refuses an archive whose digest is another.
fn download(sdists: &[&Sdist], archives: &Path) -> Result<()> {
    let requirements = archives.join("requirements.txt");
    let lines: Vec<String> =
        sdists.iter().map(|sdist| format!("{} --hash=sha256:{}\n", sdist.requirement, sdist.sha256)).collect();
    fs::write(&requirements, lines.concat()).with_context(|| format!("failed to write {}", requirements.display()))?;
    let python = python::for_suites()?.join("python");
    program::run(
        Command::new(python)
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes"])
            .arg("--requirement")
            .arg(&requirements)
            .arg("--dest")
            .arg(archives),
    )
    .context("failed to download the Python suites")
}

/// Unpacks beside and renames, so that a directory that is there is whole.
fn unpack(archive: &Path, into: &Path, stem: &str) -> Result<()> {
    let half = into.join(format!(".{stem}"));
    fs::create_dir_all(&half).with_context(|| format!("failed to make {}", half.display()))?;
    program::run(Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(&half))?;
    fs::rename(half.join(stem), into.join(stem))
        .with_context(|| format!("failed to find the directory {stem} in {}", archive.display()))?;
    fs::remove_dir_all(&half).with_context(|| format!("failed to remove {}", half.display()))
}

//! Texts of attempts, kept on disk until a report needs them.
//!
//! A suite of fifty thousand tests that each print their sixteen kilobytes must not be held in memory.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{model::Outcome, report::ReportError};

/// What an attempt has to say besides its status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::report) struct Texts {
    pub message: Option<String>,
    pub details: Option<String>,
    pub stdout: Option<String>,
    pub stderr: Option<String>,
    pub properties: Vec<(String, String)>,
    pub names: Names,
}

/// What the run itself called the test, where that is more than discovery knew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::report) struct Names {
    pub name: Option<String>,
    pub classname: Option<String>,
    pub file: Option<String>,
}

impl Texts {
    fn of(outcome: &Outcome) -> Self {
        Self {
            message: outcome.message.clone(),
            details: outcome.details.clone(),
            stdout: outcome.stdout.clone(),
            stderr: outcome.stderr.clone(),
            properties: outcome.properties.clone(),
            names: Names {
                name: outcome.name.clone(),
                classname: outcome.classname.clone(),
                file: outcome.file.clone(),
            },
        }
    }
}

/// Where in the spool an attempt's texts are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    offset: u64,
    length: u32,
}

/// A nameless file in the output directory, which ends with the process.
#[derive(Debug)]
pub(super) struct Spool {
    directory: PathBuf,
    file: File,
    end: u64,
}

impl Spool {
    pub fn create(directory: &Path) -> Result<Self, ReportError> {
        let file = tempfile::tempfile_in(directory).map_err(ReportError::write(directory))?;
        Ok(Self { directory: directory.to_owned(), file, end: 0 })
    }

    /// Gives nothing where there is nothing to keep, as with most tests that pass.
    pub fn put(&mut self, outcome: &Outcome) -> Result<Option<Place>, ReportError> {
        let texts = Texts::of(outcome);
        if texts == Texts::default() {
            return Ok(None);
        }
        let bytes = serde_json::to_vec(&texts).map_err(|error| ReportError::write(&self.directory)(error.into()))?;
        let length = u32::try_from(bytes.len())
            .map_err(|_| ReportError::write(&self.directory)(io::ErrorKind::FileTooLarge.into()))?;
        self.file.write_all_at(&bytes, self.end).map_err(ReportError::write(&self.directory))?;
        let place = Place { offset: self.end, length };
        self.end += u64::from(length);
        Ok(Some(place))
    }

    pub fn get(&self, place: Place) -> io::Result<Texts> {
        let mut bytes = vec![0; place.length as usize];
        self.file.read_exact_at(&mut bytes, place.offset)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

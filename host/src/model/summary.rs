//! The run in ten numbers.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Verdict;

/// How many tests ended in each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    counts: [usize; Verdict::ALL.len()],
}

impl Summary {
    pub fn add(&mut self, verdict: Verdict) {
        self.counts[verdict as usize] += 1;
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.counts[verdict as usize]
    }

    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Tests whose verdict keeps the run from being a success.
    pub fn bad(&self) -> usize {
        Verdict::ALL.iter().filter(|verdict| verdict.is_bad()).map(|verdict| self.count(*verdict)).sum()
    }
}

impl FromIterator<Verdict> for Summary {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut summary = Self::default();
        verdicts.into_iter().for_each(|verdict| summary.add(verdict));
        summary
    }
}

/// An object with `total` and one number for each verdict, zeros included.
impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + Verdict::ALL.len()))?;
        map.serialize_entry("total", &self.total())?;
        for verdict in Verdict::ALL {
            map.serialize_entry(verdict.as_str(), &self.count(verdict))?;
        }
        map.end()
    }
}

//! One part of a run that is split over machines.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The K-th of N parts of a project's tests, written `K/N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shard {
    /// Counts from 1.
    pub index: u32,
    pub count: u32,
}

/// Why a text is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    #[error("it must be two whole numbers like 1/3: which shard, and of how many")]
    Form,
    #[error("shards are counted from 1")]
    Zero,
    #[error("there is no shard {0} of {1}")]
    Beyond(u32, u32),
    #[error("at most {MOST} shards are possible")]
    TooMany,
}

/// More machines than anybody has.
const MOST: u32 = 10_000;

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| ShardError::Form);
        let (index, count) = text.split_once('/').ok_or(ShardError::Form)?;
        let (index, count) = (number(index)?, number(count)?);
        match (index, count) {
            (0, _) | (_, 0) => Err(ShardError::Zero),
            (_, count) if count > MOST => Err(ShardError::TooMany),
            (index, count) if index > count => Err(ShardError::Beyond(index, count)),
            (index, count) => Ok(Self { index, count }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(u32, u32), &str>) {
        let shard = text.parse::<Shard>().map(|shard| (shard.index, shard.count));
        assert_eq!(shard.map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn shards_are_written_as_which_of_how_many() {
        check("1/1", Ok((1, 1)));
        check("3/7", Ok((3, 7)));
        check("8/7", Err("there is no shard 8 of 7"));
        check("0/7", Err("shards are counted from 1"));
        check("1/20000", Err("at most 10000 shards are possible"));
        for text in ["", "1", "/", "1/", "a/b", "-1/2", "1/2/3", "1 / 2"] {
            check(text, Err("it must be two whole numbers like 1/3: which shard, and of how many"));
        }
    }
}

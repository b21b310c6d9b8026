//! Which tests of a group are a shard's: pure, and the same on every machine that knows the same.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::bonds::UnitKey;
use crate::model::Test;

/// What a test takes at least, in microseconds: there is more to it than what it measures itself.
const LEAST: u64 = 500;

/// A test of the group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) test: &'a Test,
    /// How long it may take, if earlier runs say.
    pub(super) micros: Option<u64>,
    /// What it belongs to, if that is never taken apart.
    pub(super) whole: Option<UnitKey>,
}

/// For each test the number of its shard, from 0. Units stay together, unless one alone would be more than a shard and may be
/// taken apart. `first` gets the longest, so that not every group begins with the same shard.
///
/// Neither the order of the tests nor anything else of the machine has a say, and whole numbers round nowhere.
pub(super) fn split(items: &[Item<'_>], shards: usize, first: usize) -> Vec<usize> {
    let micros = weights(items);
    let share = micros.iter().sum::<u64>().div_ceil(shards as u64).max(1);
    let mut parts = parts(items, &micros, share);
    parts.sort_by(|one, other| (Reverse(one.micros), &one.name).cmp(&(Reverse(other.micros), &other.name)));
    let mut loads: BinaryHeap<_> = (0..shards).map(|place| Reverse((0u64, place))).collect();
    let mut shard_of = vec![0; items.len()];
    for part in parts {
        // As long as there are parts to hand out there is a shard: there is at least one.
        let Some(Reverse((load, place))) = loads.pop() else { break };
        part.tests.iter().for_each(|test| shard_of[*test] = (place + first) % shards);
        loads.push(Reverse((load + part.micros, place)));
    }
    shard_of
}

/// A digest of who gets what: the same only if every shard was cut from the same whole in the same way.
pub(super) fn plan(items: &[Item<'_>], shard_of: &[usize]) -> String {
    let mut lines: Vec<_> = items.iter().zip(shard_of).map(|(item, shard)| (item.test.id.as_str(), shard)).collect();
    lines.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (id, shard) in lines {
        hasher.update(&(id.len() as u64).to_le_bytes()).update(id.as_bytes()).update(&(*shard as u64).to_le_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Tests that go to one shard.
struct Part<'a> {
    /// Tells parts of the same weight apart.
    name: (&'a str, &'a str),
    tests: Vec<usize>,
    micros: u64,
}

/// A test of which nothing is known takes as long as the group's median.
fn weights(items: &[Item<'_>]) -> Vec<u64> {
    let mut known: Vec<_> = items.iter().filter_map(|item| item.micros).collect();
    known.sort_unstable();
    let median = known.get(known.len() / 2).copied().unwrap_or(0);
    items.iter().map(|item| item.micros.unwrap_or(median) + LEAST).collect()
}

fn parts<'a>(items: &[Item<'a>], micros: &[u64], share: u64) -> Vec<Part<'a>> {
    let mut units: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    // What is never taken apart is called by the first of its tests' names.
    let mut whole: BTreeMap<UnitKey, (&str, &str)> = BTreeMap::new();
    // One that belongs to no unit is one.
    let key = |test: &'a Test| test.unit.as_deref().map_or(("", test.id.as_str()), |unit| (unit, ""));
    for item in items {
        if let Some(unit) = item.whole {
            let name = whole.entry(unit).or_insert_with(|| key(item.test));
            *name = key(item.test).min(*name);
        }
    }
    let mut is_whole = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let key = item.whole.map_or_else(|| key(item.test), |unit| whole[&unit]);
        is_whole.extend(item.whole.map(|_| key));
        units.entry(key).or_default().push(index);
    }
    let mut parts = Vec::with_capacity(units.len());
    for (key, mut tests) in units {
        tests.sort_by_key(|test| items[*test].test.id.as_str());
        let mut part = None::<Part<'a>>;
        let name = |test: usize| (items[test].test.unit.as_deref().unwrap_or_default(), items[test].test.id.as_str());
        for test in tests {
            let open = part.take_if(|part| part.micros + micros[test] > share && !is_whole.contains(&key));
            parts.extend(open);
            let part = part.get_or_insert_with(|| Part { name: name(test), tests: Vec::new(), micros: 0 });
            part.tests.push(test);
            part.micros += micros[test];
        }
        parts.extend(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn test(id: usize, unit: Option<usize>) -> Test {
        let unit = unit.map(|unit| format!("unit-{unit}"));
        Test { unit, ..Test::nameless("group".into(), format!("test-{id}")) }
    }

    fn item(test: &Test, micros: Option<u64>) -> Item<'_> {
        Item { test, micros, whole: None }
    }

    proptest! {
        #[test]
        fn order_has_no_say_and_the_shards_are_even(
            described in prop::collection::vec((prop::option::of(0usize..9), prop::option::of(0u64..5_000_000)), 1..80),
            shards in 1usize..9,
            first in 0usize..9,
            seed in any::<u64>(),
        ) {
            let tests: Vec<_> = described.iter().enumerate().map(|(id, (unit, _))| test(id, *unit)).collect();
            let items: Vec<Item<'_>> = tests.iter().zip(&described).map(|(test, (_, micros))| item(test, *micros)).collect();
            let shard_of = split(&items, shards, first);
            prop_assert!(shard_of.iter().all(|shard| *shard < shards));

            let mut shuffled: Vec<_> = (0..items.len()).collect();
            shuffled.sort_by_key(|index| blake3::hash(&(*index as u64 ^ seed).to_le_bytes()).to_hex().to_string());
            let other: Vec<_> = shuffled.iter().map(|index| items[*index]).collect();
            let other_shard_of = split(&other, shards, first);
            for (place, index) in shuffled.iter().enumerate() {
                prop_assert_eq!(other_shard_of[place], shard_of[*index]);
            }
            prop_assert_eq!(plan(&items, &shard_of), plan(&other, &other_shard_of));

            // List scheduling of parts that are at most a share each, or a single test.
            let micros = weights(&items);
            let load = |shard| micros.iter().zip(&shard_of).filter(|(_, s)| **s == shard).map(|(m, _)| m).sum::<u64>();
            let share = micros.iter().sum::<u64>().div_ceil(shards as u64);
            let bound = 2 * share.max(*micros.iter().max().unwrap());
            prop_assert!((0..shards).all(|shard| load(shard) <= bound));
        }
    }

    #[test]
    fn units_stay_together() {
        let tests: Vec<_> = (0..9).map(|id| test(id, Some(id % 3))).collect();
        let items: Vec<_> = tests.iter().map(|test| item(test, Some(1000))).collect();
        assert_eq!(split(&items, 3, 0), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(split(&items, 3, 1), [1, 2, 0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_unit_that_is_more_than_a_shard_is_split() {
        let tests: Vec<_> = (0..4).map(|id| test(id, Some(0))).collect();
        let items: Vec<_> = tests.iter().map(|test| item(test, None)).collect();
        assert_eq!(split(&items, 2, 0), [0, 0, 1, 1]);
    }

    #[test]
    fn what_is_never_taken_apart_is_of_one_shard() {
        let tests: Vec<_> = (0..6).map(|id| test(id, Some(id / 2))).collect();
        let whole = [Some(0), Some(0), Some(1), Some(1), Some(0), None];
        let items: Vec<_> = tests.iter().zip(whole).map(|(test, whole)| Item { whole, ..item(test, None) }).collect();
        let shards = split(&items, 6, 0);
        assert!(shards[0] == shards[1] && shards[1] == shards[4], "{shards:?}");
        assert!(shards[2] == shards[3] && shards[2] != shards[0], "{shards:?}");
    }

    #[test]
    fn what_takes_long_is_spread() {
        let tests: Vec<_> = (0..4).map(|id| test(id, None)).collect();
        let items: Vec<_> = tests.iter().zip([9, 1, 8, 2]).map(|(test, s)| item(test, Some(s * 1_000_000))).collect();
        assert_eq!(split(&items, 2, 0), [0, 0, 1, 1]);
    }

    #[test]
    fn another_plan_has_another_digest() {
        let tests = [test(0, None), test(1, None)];
        let items: Vec<_> = tests.iter().map(|test| item(test, None)).collect();
        assert_ne!(plan(&items, &[0, 1]), plan(&items, &[1, 0]));
        assert_ne!(plan(&items[..1], &[0]), plan(&items, &[0, 0]));
    }
}

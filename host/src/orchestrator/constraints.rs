//! What tests need of the whole run: locks, the run to themselves, more than one sandbox. Pure. A framework says so in
//! their tags.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::TestIndex;

/// At most one test that has this at a time, or as many as it says: `lock:NAME` or `lock:NAME=N`.
const LOCK: &str = "lock:";

/// It counts as so many sandboxes.
const THREADS: &str = "threads:";

/// Nothing else runs meanwhile.
const ALONE: &str = "alone";

/// Tests with the same demands are of one class. The first class has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClassId(u16);

impl ClassId {
    /// That of tests without demands.
    pub(super) const FREE: Self = Self(0);
}

/// The demands of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Demands {
    /// Names with how many may hold each.
    locks: BTreeMap<String, usize>,
    /// At least 1.
    threads: usize,
    alone: bool,
}

impl Demands {
    fn of<'a>(tags: impl Iterator<Item = &'a str>) -> Self {
        let mut demands = Self { threads: 1, ..Self::default() };
        for tag in tags {
            if tag == ALONE {
                demands.alone = true;
            } else if let Some(threads) = tag.strip_prefix(THREADS).and_then(|number| number.parse().ok()) {
                demands.threads = demands.threads.max(threads);
            } else if let Some(lock) = tag.strip_prefix(LOCK) {
                let (name, most) = match lock.rsplit_once('=').map(|(name, most)| (name, most.parse::<usize>())) {
                    Some((name, Ok(most))) => (name, most.max(1)),
                    _ => (lock, 1),
                };
                // Of two that disagree the stricter holds.
                let held = demands.locks.entry(name.to_owned()).or_insert(most);
                *held = most.min(*held);
            }
        }
        demands
    }

    fn are_none(&self) -> bool {
        self.locks.is_empty() && self.threads <= 1 && !self.alone
    }
}

/// The classes of a run's tests.
#[derive(Debug)]
pub(super) struct Constraints {
    classes: Vec<Demands>,
    /// By test; those beyond the end have no demands.
    of_tests: Vec<ClassId>,
}

impl Default for Constraints {
    fn default() -> Self {
        Self { classes: vec![Demands { threads: 1, ..Demands::default() }], of_tests: Vec::new() }
    }
}

impl Constraints {
    /// Whether no test demands anything.
    pub(super) fn are_none(&self) -> bool {
        self.classes.len() == 1
    }

    /// The class of tests with these tags.
    pub(super) fn class<'a>(&mut self, tags: impl Iterator<Item = &'a str>) -> ClassId {
        let demands = Demands::of(tags);
        if demands.are_none() {
            return ClassId::FREE;
        }
        let known = self.classes.iter().position(|known| *known == demands);
        let place = known.unwrap_or_else(|| {
            self.classes.push(demands);
            self.classes.len() - 1
        });
        // More classes than that are not told apart: they share the last one, which is never the free one.
        ClassId(u16::try_from(place).unwrap_or(u16::MAX))
    }

    /// Says of which class a test is.
    pub(super) fn set(&mut self, test: TestIndex, class: ClassId) {
        if class == ClassId::FREE {
            return;
        }
        if self.of_tests.len() <= test.get() {
            self.of_tests.resize(test.get() + 1, ClassId::FREE);
        }
        self.of_tests[test.get()] = class;
    }

    pub(super) fn of(&self, test: TestIndex) -> ClassId {
        self.of_tests.get(test.get()).copied().unwrap_or_default()
    }

    /// Whether tests of this class have the run to themselves where `sandboxes` are all that there are.
    pub(super) fn is_alone(&self, class: ClassId, sandboxes: usize) -> bool {
        let demands = self.demands(class);
        demands.alone || (demands.threads > 1 && demands.threads >= sandboxes)
    }

    /// How many processes may run tests of this class at once, of `sandboxes` that there are.
    pub(super) fn most_at_once(&self, class: ClassId, sandboxes: usize) -> usize {
        let demands = self.demands(class);
        let by_locks = demands.locks.values().copied().min().unwrap_or(usize::MAX);
        let by_threads = if self.is_alone(class, sandboxes) { 1 } else { sandboxes / demands.threads };
        by_locks.min(by_threads).max(1)
    }

    fn demands(&self, class: ClassId) -> &Demands {
        &self.classes[usize::from(class.0).min(self.classes.len() - 1)]
    }

    /// What a process that is not among the running ones may not have now. `running` has the classes of what each process
    /// has; `sandboxes` is how many there are at the most.
    pub(super) fn blocked(&self, running: &[BTreeSet<ClassId>], sandboxes: usize) -> Blocked {
        if self.are_none() {
            return Blocked::default();
        }
        let classes = (0..self.classes.len()).map(|place| ClassId(u16::try_from(place).unwrap_or(u16::MAX)));
        let blocked = classes.filter(|class| self.is_blocked(*class, running, sandboxes)).collect();
        Blocked { classes: blocked }
    }

    fn is_blocked(&self, class: ClassId, running: &[BTreeSet<ClassId>], sandboxes: usize) -> bool {
        let held = |process: &BTreeSet<ClassId>, lock: &str| {
            process.iter().any(|held| self.demands(*held).locks.contains_key(lock))
        };
        let demands = self.demands(class);
        let is_locked = demands
            .locks
            .iter()
            .any(|(lock, most)| running.iter().filter(|process| held(process, lock)).count() >= *most);
        let has_somebody_alone = running.iter().flatten().any(|other| self.is_alone(*other, sandboxes));
        let threads_of =
            |process: &BTreeSet<ClassId>| process.iter().map(|class| self.demands(*class).threads).max().unwrap_or(1);
        let taken: usize = running.iter().map(threads_of).sum();
        let is_crowded = !running.is_empty() && taken + demands.threads > sandboxes.max(1);
        // Where no test is larger than a sandbox, sandboxes are all that there is to run out of.
        let counts = demands.threads > 1 || running.iter().any(|process| threads_of(process) > 1);
        is_locked
            || has_somebody_alone
            || (self.is_alone(class, sandboxes) && !running.is_empty())
            || (counts && is_crowded)
    }
}

/// Classes of which nothing may be begun now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocked {
    classes: BTreeSet<ClassId>,
}

impl Blocked {
    pub(super) fn has(&self, class: ClassId) -> bool {
        self.classes.contains(&class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tags of the tests that run, process by process, and of one more; says whether that may run now.
    #[track_caller]
    fn check(running: &[&[&str]], next: &str, sandboxes: usize, expected: bool) {
        let mut constraints = Constraints::default();
        let mut class = |tags: &str| constraints.class(tags.split_whitespace());
        let running: Vec<BTreeSet<_>> =
            running.iter().map(|tests| tests.iter().map(|tags| class(tags)).collect()).collect();
        let next = class(next);
        assert_eq!(!constraints.blocked(&running, sandboxes).has(next), expected);
    }

    #[test]
    fn a_lock_is_held_by_as_many_as_it_says() {
        check(&[&["lock:db"]], "lock:db", 4, false);
        check(&[&["lock:db"]], "lock:net", 4, true);
        check(&[&["lock:db"]], "", 4, true);
        check(&[&["lock:db=2"]], "lock:db=2", 4, true);
        check(&[&["lock:db=2"], &["lock:db=2 lock:net"]], "lock:db=2", 4, false);
        check(&[&["", "lock:db"]], "slow lock:db", 4, false);
        // A number that is none is part of the name.
        check(&[&["lock:a=b"]], "lock:a=b", 4, false);
        check(&[&["lock:a=b"]], "lock:a", 4, true);
        check(&[&["lock:a=0"]], "", 4, true);
    }

    #[test]
    fn alone_is_alone() {
        check(&[], "alone", 2, true);
        check(&[&[""]], "alone", 2, false);
        check(&[&["alone"]], "", 2, false);
        check(&[&["alone"]], "lock:db", 2, false);
    }

    #[test]
    fn a_test_may_count_as_several() {
        check(&[], "threads:9", 2, true);
        check(&[&[""]], "threads:2", 2, false);
        check(&[&["threads:2"]], "", 2, false);
        check(&[&[""]], "threads:2", 3, true);
        check(&[&["threads:2"]], "threads:2", 3, false);
        check(&[&["threads:2"]], "", 3, true);
        check(&[&["threads:x"]], "threads:1", 2, true);
    }

    #[test]
    fn without_demands_nothing_is_held_up() {
        check(&[&[""], &["slow"]], "unit:whole", 1, true);
    }

    #[test]
    fn what_waits_for_a_lock_is_cut_for_as_many_as_may_have_it() {
        let mut constraints = Constraints::default();
        let mut most = |tags: &str| {
            let class = constraints.class(tags.split_whitespace());
            constraints.most_at_once(class, 8)
        };
        assert_eq!(
            [most("lock:a"), most("lock:a=3"), most("alone"), most("threads:3"), most("threads:99")],
            [1, 3, 1, 2, 1]
        );
    }
}

//! Tests that need something of the whole run: they wait by class, and go out when it can be had.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use super::super::bonds::Bond;
use super::super::catalog::{GroupIndex, TestIndex};
use super::super::constraints::{ClassId, Constraints};
use super::stretch::Entry;
use super::{Allowance, Weigh};

#[derive(Debug, Default)]
pub(super) struct Constrained {
    /// By group, stage and class.
    queues: BTreeMap<(GroupIndex, u32, ClassId), VecDeque<Entry>>,
}

/// How much goes out at once.
pub(super) struct Cut {
    pub(super) sandboxes: usize,
    /// Seconds that a batch may take.
    pub(super) most: f64,
    pub(super) singly: bool,
    /// The stages that may be had.
    pub(super) stages: RangeInclusive<u32>,
    /// Whether tests wait that do not have to be alone: those go first, since then all others end at about the same time.
    pub(super) others_wait: bool,
}

impl Constrained {
    pub(super) fn push(&mut self, group: GroupIndex, entry: Entry) {
        self.queues.entry((group, entry.stage, entry.class)).or_default().push_back(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    fn of(&self, group: GroupIndex) -> impl Iterator<Item = (ClassId, &VecDeque<Entry>)> {
        self.queues.iter().filter(move |((of, _, _), _)| *of == group).map(|((_, _, class), queue)| (*class, queue))
    }

    pub(super) fn count(&self, group: GroupIndex) -> usize {
        self.of(group).map(|(_, queue)| queue.len()).sum()
    }

    pub(super) fn seconds(&self, group: GroupIndex, weigh: Weigh) -> f64 {
        self.of(group).flat_map(|(_, queue)| queue).map(|entry| weigh.one(entry)).sum()
    }

    /// Whether any of the group's may go out now.
    pub(super) fn has_open(&self, group: GroupIndex, allowance: &Allowance) -> bool {
        self.of(group).any(|(class, _)| !allowance.blocked.has(class))
    }

    /// Whether any of the group's are of an earlier stage than this.
    pub(super) fn has_before(&self, group: GroupIndex, stage: u32) -> bool {
        self.queues.range((group, 0, ClassId::FREE)..(group, stage, ClassId::FREE)).next().is_some()
    }

    /// Tests of one class and one of these stages that may go out now: the first stage, and in it the class that takes longest.
    pub(super) fn take(
        &mut self,
        group: GroupIndex,
        constraints: &Constraints,
        cut: &Cut,
        weigh: Weigh,
        allowance: &Allowance,
    ) -> Option<Vec<TestIndex>> {
        let is_alone = |class: ClassId| constraints.is_alone(class, cut.sandboxes);
        let sociable_wait = cut.others_wait || self.queues.keys().any(|(_, _, class)| !is_alone(*class));
        let seconds = |queue: &VecDeque<Entry>| queue.iter().map(|entry| weigh.one(entry)).sum::<f64>();
        let has_to_wait = |class: ClassId| sociable_wait && is_alone(class);
        let is_open = |class: ClassId| !allowance.blocked.has(class) && !has_to_wait(class);
        let open = self
            .queues
            .iter()
            .filter(|((of, stage, class), _)| *of == group && cut.stages.contains(stage) && is_open(*class));
        let (_, stage, class, _) = open
            .map(|((_, stage, class), queue)| {
                let seconds = seconds(queue) / constraints.most_at_once(*class, cut.sandboxes) as f64;
                (Reverse(*stage), *stage, *class, seconds)
            })
            .max_by(|(a, _, c, one), (b, _, d, other)| a.cmp(b).then(one.total_cmp(other)).then_with(|| d.cmp(c)))?;
        let queue = self.queues.get_mut(&(group, stage, class))?;
        let share = seconds(queue) / constraints.most_at_once(class, cut.sandboxes) as f64;
        let wanted = if cut.singly { 0.0 } else { share.min(cut.most) };
        let (mut tests, mut sum) = (Vec::new(), 0.0);
        let mut last = None;
        while let Some(entry) = queue.front() {
            let belongs_to_last = entry.bond == Bond::Whole && last == Some(entry.unit);
            let weight = weigh.one(entry);
            if !tests.is_empty() && sum + weight / 2.0 > wanted && !belongs_to_last {
                break;
            }
            sum += weight;
            last = Some(entry.unit);
            tests.extend(queue.pop_front().map(|entry| entry.test));
        }
        if queue.is_empty() {
            self.queues.remove(&(group, stage, class));
        }
        Some(tests)
    }
}

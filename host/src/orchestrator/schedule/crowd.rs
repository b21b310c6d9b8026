//! The sandboxes of a run: how many of them count, and whether one more is worth what it costs.

/// The sandboxes at one moment.
#[derive(Clone, Debug, Default)]
pub(in crate::orchestrator) struct Crowd {
    /// In how many seconds each of those that are up will have done what it was given.
    pub(in crate::orchestrator) busy: Vec<f64>,
    /// For how many seconds each of the others has been coming up.
    pub(in crate::orchestrator) coming: Vec<f64>,
}

/// What creating them costs, as far as that was seen.
#[derive(Debug, Default)]
pub(super) struct Creations {
    count: f64,
    seconds: f64,
}

impl Creations {
    pub(super) fn learn(&mut self, seconds: f64) {
        self.count += 1.0;
        self.seconds += seconds;
    }

    fn cost(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.seconds / self.count)
    }

    /// How many sandboxes share what is left: those that are up, and of each that is coming up the part of the time until
    /// `work` seconds are done in which it will be there.
    pub(super) fn sharing(&self, crowd: &Crowd, work: f64) -> usize {
        let Some(cost) = self.cost() else { return crowd.busy.len() + crowd.coming.len() };
        let end = self.end(crowd, work);
        let part = |age: &f64| (1.0 - remaining(cost, *age) / end).max(0.0);
        let coming: f64 = if end > 0.0 { crowd.coming.iter().map(part).sum() } else { 0.0 };
        crowd.busy.len() + coming.round() as usize
    }

    /// Whether one that is created now would come up before the others are done with `work` seconds.
    pub(super) fn are_worth(&self, crowd: &Crowd, work: f64) -> bool {
        self.cost().is_none_or(|cost| crowd.busy.is_empty() || self.end(crowd, work) > cost)
    }

    /// In how many seconds all is done if nobody idles.
    pub(super) fn end(&self, crowd: &Crowd, work: f64) -> f64 {
        let coming = crowd.coming.iter().map(|age| remaining(self.cost().unwrap_or(0.0), *age));
        let mut free: Vec<_> = crowd.busy.iter().copied().chain(coming).collect();
        free.sort_by(f64::total_cmp);
        let (mut end, mut sum) = (f64::INFINITY, 0.0);
        for (before, start) in free.into_iter().enumerate() {
            if start >= end {
                break;
            }
            sum += start;
            end = (work + sum) / (before + 1) as f64;
        }
        end
    }
}

/// How long it still takes what was expected to take so long and has for `age`. What is overdue may take as long again as
/// it is overdue.
pub(in crate::orchestrator) fn remaining(expected: f64, age: f64) -> f64 {
    (expected - age).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cost: f64, busy: &[f64], coming: &[f64], work: f64, sharing: usize, worth: bool) {
        let mut creations = Creations::default();
        creations.learn(cost);
        let crowd = Crowd { busy: busy.to_vec(), coming: coming.to_vec() };
        assert_eq!(creations.sharing(&crowd, work), sharing);
        assert_eq!(creations.are_worth(&crowd, work), worth);
    }

    #[test]
    fn those_that_will_be_there_in_time_count() {
        check(1.0, &[0.0], &[0.0], 100.0, 2, true);
        check(60.0, &[0.0], &[0.0; 9], 10.0, 1, false);
        check(60.0, &[0.0], &[59.0; 9], 100.0, 9, false);
        check(60.0, &[0.0], &[0.0; 9], 300.0, 4, true);
    }

    #[test]
    fn those_that_are_overdue_count_less_and_less() {
        check(1.0, &[0.0], &[2.0], 10.0, 2, true);
        check(1.0, &[0.0], &[60.0], 10.0, 1, true);
    }

    #[test]
    fn one_more_is_worth_it_if_those_that_are_up_are_held_up() {
        check(10.0, &[0.0, 0.0], &[], 10.0, 2, false);
        check(10.0, &[0.0, 0.0], &[], 30.0, 2, true);
        check(10.0, &[20.0, 20.0], &[], 1.0, 2, true);
        check(10.0, &[20.0, 0.0], &[], 1.0, 2, false);
    }

    #[test]
    fn the_last_chance_is_worth_everything() {
        check(100.0, &[], &[0.0], 0.1, 0, true);
        let unknown = Creations::default();
        let crowd = Crowd { busy: vec![0.0], coming: vec![500.0] };
        assert_eq!(unknown.sharing(&crowd, 0.1), 2);
        assert!(unknown.are_worth(&crowd, 0.1));
    }
}

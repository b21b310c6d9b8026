//! Which sandbox goes to which host.

/// A place for one sandbox: a host by its position among those that answered, and a number on that host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    pub host: usize,
    pub number: u32,
}

impl Seat {
    /// As scripts name it.
    pub fn name(self) -> String {
        format!("{}-{}", self.host, self.number)
    }
}

/// All seats of hosts that have so many each, in the order in which this slot tries them. Every slot has one that no other
/// begins with; hosts take turns, so that few sandboxes are on many hosts.
pub fn in_order_for(slot: u32, seats_on: &[u32]) -> Vec<Seat> {
    let rounds = seats_on.iter().copied().max().unwrap_or(0);
    let mut seats: Vec<_> = (0..rounds)
        .flat_map(|number| {
            let hosts = seats_on.iter().enumerate().filter(move |(_, seats)| number < **seats);
            hosts.map(move |(host, _)| Seat { host, number })
        })
        .collect();
    if !seats.is_empty() {
        let first = slot as usize % seats.len();
        seats.rotate_left(first);
    }
    seats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(slot: u32, seats_on: &[u32], expected: &[&str]) {
        let names: Vec<_> = in_order_for(slot, seats_on).into_iter().map(Seat::name).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn hosts_take_turns() {
        check(0, &[1, 1, 1], &["0-0", "1-0", "2-0"]);
        check(2, &[1, 1, 1], &["2-0", "0-0", "1-0"]);
        check(0, &[1, 3], &["0-0", "1-0", "1-1", "1-2"]);
        check(2, &[1, 3], &["1-1", "1-2", "0-0", "1-0"]);
        check(7, &[2], &["0-1", "0-0"]);
        check(0, &[], &[]);
    }
}

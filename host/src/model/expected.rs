//! What is expected of a test before it runs.

/// How long a test is expected to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Seconds.
    pub mean: f64,
    /// The standard deviation, in seconds; zero after one sample.
    pub spread: f64,
}

impl Expected {
    /// What to plan with, in seconds: a test that varies may take longer than it does on average, and whoever is late holds
    /// everybody up.
    pub fn cautious(self) -> f64 {
        self.mean + self.spread
    }
}

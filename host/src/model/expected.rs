//! What is expected of a test before it runs.

/// How long a test is expected to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Seconds.
    pub mean: f64,
    /// The standard deviation, in seconds; zero after one sample.
    pub spread: f64,
}

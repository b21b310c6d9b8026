//! Aims beside figures.

/// One promise and what was measured.
pub struct Figure {
    pub what: String,
    /// The measured value must be below this.
    pub aim: f64,
    pub measured: f64,
    pub unit: &'static str,
    /// How it was measured, and what it should be seen beside.
    pub note: String,
}

impl Figure {
    fn met(&self) -> bool {
        self.measured < self.aim
    }
}

/// A table for a terminal.
pub fn render(figures: &[Figure]) -> String {
    let mut text = format!("\n{:<36} {:>12} {:>12}  {:<8} {}\n", "what", "aim", "figure", "", "how");
    for figure in figures {
        let met = if figure.met() { "met" } else { "not met" };
        text.push_str(&format!(
            "{:<36} {:>12} {:>12}  {:<8} {}\n",
            figure.what,
            format!("< {} {}", figure.aim, figure.unit),
            format!("{:.2} {}", figure.measured, figure.unit),
            met,
            figure.note
        ));
    }
    text
}

//! Aims beside figures.

/// One promise and what was measured.
pub struct Figure {
    pub what: String,
    /// The measured value must be below this, if anything is promised of it.
    pub aim: Option<f64>,
    pub measured: f64,
    pub unit: &'static str,
    /// How it was measured, and what it should be seen beside.
    pub note: String,
}

impl Figure {
    fn met(&self) -> &'static str {
        match self.aim {
            None => "",
            Some(aim) if self.measured < aim => "met",
            Some(_) => "not met",
        }
    }
}

/// A table for a terminal.
pub fn render(figures: &[Figure]) -> String {
    let mut text = format!("\n{:<36} {:>12} {:>12}  {:<8} {}\n", "what", "aim", "figure", "", "how");
    for figure in figures {
        let aim = figure.aim.map_or_else(String::new, |aim| format!("< {aim} {}", figure.unit));
        text.push_str(&format!(
            "{:<36} {:>12} {:>12}  {:<8} {}\n",
            figure.what,
            aim,
            format!("{:.2} {}", figure.measured, figure.unit),
            figure.met(),
            figure.note
        ));
    }
    text
}

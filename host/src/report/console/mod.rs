//! What a person sees of a run: the one home of printing.

mod closing;
mod detail;
mod live;
mod palette;
mod phrases;
mod screen;
mod view;

pub(super) use view::ConsoleView;
#[cfg(test)]
pub(super) use {palette::Palette, screen::Screen};

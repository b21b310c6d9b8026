//! The program of the README's chapter "Library", to the letter.

include!("../../library/program.rs");

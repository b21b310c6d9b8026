//! The JUnit report: one testcase a test, a suite a group, exact totals.

mod case;
mod totals;
mod write;
mod xml_text;

#[cfg(test)]
mod properties;

pub(super) use write::write_junit;

//! Reads JUnit XML.

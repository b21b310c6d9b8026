//! Quoting for POSIX shells.

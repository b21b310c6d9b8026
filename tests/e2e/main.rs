//! The real binary, end to end: what the documentation says, sentence by sentence.

mod command_line;
mod config_errors;
mod copies_and_variables;
mod crashes;
mod custom_group;
mod default_provider;
mod discovery;
mod groups;
mod history;
mod init;
mod library;
mod nasty_ids;
mod output;
mod provider_trouble;
mod quickstart;
mod real_python;
mod real_rust;
mod reports;
mod result_files;
mod retries;
mod shards;
mod signals;
mod stopping;
mod timeouts;
mod unreported;
mod workers;

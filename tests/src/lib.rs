//! What the end-to-end tests are written in: projects in temporary directories, the real binary run in them, and what
//! must hold after every run, whatever it was about.

mod backend;
mod containers;
mod default_provider;
mod engines;
mod fake_modal;
mod finished;
mod invocation;
mod junit;
mod leftovers;
mod plain;
mod project;
mod results;
mod slurm;
mod ssh_hosts;
mod truth;
pub mod usage;

pub use backend::Backend;
pub use containers::Containers;
pub use default_provider::DefaultProvider;
pub use engines::{
    component, example, go, go_environment, guest, installed_offload, library_program, modal_python, offload,
    old_python, plugins_python, python, python_bin, suite, suite_python, target, vitest,
};
pub use fake_modal::FakeModal;
pub use finished::Finished;
pub use invocation::{Invocation, Running};
pub use junit::{Case, Junit, Suite};
pub use plain::{compare, plain_go_test, plain_nextest, plain_pytest, plain_unittest, plain_vitest};
pub use project::Project;
pub use results::{Attempt, Results, Test};
pub use slurm::Slurm;
pub use ssh_hosts::SshHosts;

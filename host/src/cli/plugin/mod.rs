//! `offload plugin`

mod check;
mod drive;
mod inspect;
mod list;
mod lock;
mod new;

use std::path::Path;

use super::args::PluginCommand;
pub(super) use new::PluginName;

pub(super) async fn plugin(config: &Path, command: PluginCommand) -> anyhow::Result<u8> {
    match command {
        PluginCommand::New(args) => new::new_project(&args),
        PluginCommand::List(args) => list::list(config, args.format).await,
        PluginCommand::Inspect(args) => inspect::inspect_file(&args.file, args.format).await,
        PluginCommand::Check(args) => check::check_file(&args.file, args.settings.as_deref()).await,
        PluginCommand::Drive(args) => drive::drive(&args.file).await,
        PluginCommand::Lock => lock::lock(config).await,
    }
}

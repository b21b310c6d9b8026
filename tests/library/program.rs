use offload::config::{load_config, SandboxConfig};
use offload::orchestrator::{Orchestrator, SandboxPool};
use offload::provider::local::LocalProvider;
use offload::framework::{TestFramework, pytest::PytestFramework};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = load_config(std::path::Path::new("offload.toml"))?;

    let provider = LocalProvider::new(Default::default());
    let framework = PytestFramework::new(Default::default());

    // Discover tests
    let tests = framework.discover(&[]).await?;

    // Create sandbox pool
    let sandbox_config = SandboxConfig {
        id: "sandbox".to_string(),
        working_dir: None,
        env: vec![],
        copy_dirs: vec![],
    };
    let mut sandbox_pool = SandboxPool::new();
    sandbox_pool.populate(config.offload.max_parallel, &provider, &sandbox_config).await?;

    // Run tests
    let orchestrator = Orchestrator::new(config, framework, false);
    let result = orchestrator.run_with_tests(&tests, sandbox_pool).await?;

    std::process::exit(result.exit_code());
}

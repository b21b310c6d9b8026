use std::path::Path;

use serde_json::json;

use super::{
    super::{Config, CopyDir, OffloadConfig, ProviderConfig, ReportConfig, SandboxConfig},
    load,
};

#[track_caller]
fn config(text: &str) -> Config {
    load(text).expect("a good configuration")
}

const GROUP: &str = "[groups.a]\ntype = \"pytest\"\n";

#[test]
fn a_group_is_enough() {
    let config = config(GROUP);
    assert_eq!(config.offload, OffloadConfig::default());
    assert_eq!(
        (config.offload.max_parallel, config.offload.test_timeout_secs, config.offload.retry_count),
        (10, 900, 3)
    );
    assert!(!config.offload.stream_output);
    assert_eq!(config.provider.kind, "local");
    assert_eq!(config.report, ReportConfig::default());
    assert_eq!(config.working_dir(), Path::new("/project"));
    assert_eq!(config.junit_path().as_deref(), Some(Path::new("/project/test-results/junit.xml")));
}

#[test]
fn every_key_has_its_meaning() {
    let config = config(
        r#"
        [offload]
        max_parallel = 4
        test_timeout_secs = 60.0
        retry_count = 0
        working_dir = "./sub"
        stream_output = true

        [provider]
        type = "default"
        working_dir = "scripts"
        create_command = "./create.sh {image_id}"
        timeout_secs = 3_600
        copy_dirs = ["./src:/app/src", "./tests:/app/tests"]

        [provider.env]
        MY_VAR = "value"
        KEY = "${API_KEY}"
        DEBUG = "${DEBUG:-false}"
        PRICE = "$$100"

        [groups.custom]
        type = "default"
        discover_command = "jest --listTests"
        working_dir = "web"

        [report]
        output_dir = "../out"
        junit_file = "/ci/report.xml"
        "#,
    );
    assert_eq!(
        config.offload,
        OffloadConfig {
            max_parallel: 4,
            test_timeout_secs: 60,
            retry_count: 0,
            working_dir: Some("./sub".into()),
            stream_output: true,
        }
    );
    let provider = &config.provider;
    assert_eq!((provider.kind.as_str(), provider.timeout_secs), ("default", Some(3600)));
    assert_eq!(provider.copy_dirs[1], CopyDir { local: "./tests".into(), remote: "/app/tests".to_owned() });
    let env = [("DEBUG", "false"), ("KEY", "hunter2"), ("MY_VAR", "value"), ("PRICE", "$100")];
    assert_eq!(provider.env, env.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(
        provider.settings["env"],
        json!({ "DEBUG": "false", "KEY": "hunter2", "MY_VAR": "value", "PRICE": "$100" })
    );
    assert_eq!(provider.settings["create_command"], "./create.sh {image_id}");
    assert!(!provider.settings.contains_key("type"));
    assert_eq!(config.working_dir(), Path::new("/project/sub"));
    assert_eq!(provider.working_dir_in(&config.working_dir()), Path::new("/project/sub/scripts"));
    assert_eq!(config.groups["custom"].working_dir_in(&config.working_dir()), Path::new("/project/sub/web"));
    assert_eq!(config.groups["custom"].settings["discover_command"], "jest --listTests");
    assert_eq!(config.output_dir(), Path::new("/project/sub/../out"));
    assert_eq!(config.junit_path().as_deref(), Some(Path::new("/ci/report.xml")));
}

#[test]
fn a_provider_that_is_not_known_here_keeps_its_settings() {
    let text = "[provider]\ntype = \"modal\"\napp_name = \"offload-sandbox\"\ndockerfile = \"Dockerfile\"\n\
                timeout_secs = 600\n\n[provider.env]\nAPI_KEY = \"${API_KEY}\"\n";
    let config = config(&format!("{text}{GROUP}"));
    let settings = json!({
        "app_name": "offload-sandbox",
        "dockerfile": "Dockerfile",
        "timeout_secs": 600,
        "env": { "API_KEY": "hunter2" },
    });
    assert_eq!(json!(config.provider.settings), settings);
}

#[test]
fn groups_keep_the_order_of_the_file() {
    let config = config("[groups]\nz.type = 'x'\n'a/b~ é' = { type = 'x' }\nc = { type = 'x' }\n");
    assert_eq!(config.groups.keys().collect::<Vec<_>>(), ["z", "a/b~ é", "c"]);
}

#[test]
fn secrets_are_not_printed() {
    let config =
        config(&format!("[provider]\ntype = 'local'\nshell = '/bin/sh'\nenv = {{ KEY = '${{API_KEY}}' }}\n{GROUP}"));
    assert_eq!(config.provider.env[0].1, "hunter2");
    let sandbox = SandboxConfig { env: config.provider.env.clone(), ..SandboxConfig::default() };
    let printed = format!("{config:?} {sandbox:?}");
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(printed.contains("/bin/sh") && printed.contains("KEY"), "{printed}");
}

#[test]
fn a_configuration_can_be_built_in_code() {
    let mut config = Config::new("/project");
    config.provider = ProviderConfig { kind: "mine".to_owned(), ..ProviderConfig::default() };
    let error = config.unknown_provider(&["local"]);
    assert_eq!(error.to_string(), "there is no provider `mine`, which [provider] names");
}

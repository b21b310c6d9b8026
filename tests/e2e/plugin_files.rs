//! Components as files: what is refused, what is pinned, and what is told of them.

use offload_tests::{Finished, Project, guest};

/// A project whose plugin `it` is a file with these bytes.
fn project(bytes: &[u8], keys: &str) -> Project {
    Project::new().file("it.wasm", bytes).config(&format!(
        "[plugins.it]\npath = \"it.wasm\"\n{keys}\n[plugins.it.allow]\nrun = [\"sh\"]\n[groups.g]\ntype = \"it\"\nworker = false\n"
    ))
}

fn framework() -> Vec<u8> {
    std::fs::read(guest("framework")).expect("the plugin can be read")
}

#[track_caller]
fn refused(project: &Project, expected: &str) -> Finished {
    forget_reports(project);
    let done = project.offload(&["validate"]).finish().exits(3).says(expected);
    assert_eq!(done.stderr.matches("error:").count(), 1, "{}", done.stderr);
    // A run says the same.
    project.run(&[]).exits(3).says(expected)
}

/// Those of an earlier run are no part of one that does not begin.
fn forget_reports(project: &Project) {
    let _ = std::fs::remove_dir_all(project.path().join("test-results"));
}

#[test]
fn what_is_no_component_is_refused() {
    let whole = framework();
    refused(&project(&whole[..whole.len() / 2], ""), "plugin `it` failed in `load`: it cannot be compiled");
    refused(&project(b"\0asm\x01\0\0\0", ""), "it is a core module of WebAssembly, not a component");
    refused(&project(b"#!/bin/sh\necho hello\n", ""), "it is not WebAssembly");
    refused(&project(b"", ""), "it is not WebAssembly");
    let missing = project(b"", "");
    std::fs::remove_file(missing.path().join("it.wasm")).expect("the file is there");
    refused(&missing, "its file cannot be read").says("correct `path` in [plugins.it]");
}

#[test]
fn another_contract_is_named() {
    let text = b"offload:plugin/framework@0.1.0";
    let mut bytes = framework();
    for at in 0..bytes.len() - text.len() {
        if bytes[at..].starts_with(text) {
            bytes[at + text.len() - 3] = b'9';
        }
    }
    refused(&project(&bytes, ""), "it was built for version 0.9.0 of the contract, and this offload speaks 0.1.0")
        .says("use a newer offload");
}

#[test]
fn a_plugin_is_used_for_what_it_is() {
    let provider = std::fs::read(guest("provider")).expect("the plugin can be read");
    refused(&project(&provider, ""), "it is a provider, not a framework").says("by `type` in [provider]");
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let project = Project::new().config("[plugins.pytest]\npath = \"it.wasm\"\n[groups.g]\ntype = \"pytest\"\n");
    project
        .offload(&["validate"])
        .finish()
        .exits(3)
        .says("[plugins.pytest] has the name of a plugin that comes with offload");
}

#[test]
fn settings_are_held_against_the_schema_that_it_carries() {
    let project = project(&framework(), "")
        .config("[plugins.it]\npath = \"it.wasm\"\n[groups.g]\ntype = \"it\"\nmisded = \"x\"\n");
    let done = project.offload(&["validate"]).finish().exits(3);
    done.says("unknown key `misded` in [groups.g]").says("did you mean `misdeed`?").says("offload.toml:5:1");
}

#[test]
fn digests_are_held_against_pins() {
    let good = project(&framework(), "");
    good.offload(&["plugin", "lock"]).finish().exits(0).says("written to ").says("new");
    assert!(good.read("offload.lock").contains("[plugins.it]\nsha256 = \""));
    good.run(&[]).exits(0);
    good.offload(&["plugin", "lock"]).finish().exits(0).says("as before");
    good.offload(&["plugin", "list"]).finish().exits(0).says("pinned; may run sh");
    // Another component in its place is refused, until that is said to be right.
    good.write("it.wasm", std::fs::read(guest("provider")).expect("the plugin can be read"));
    refused(&good, "it is not the one that was pinned").says("offload.lock says ");
    good.offload(&["plugin", "lock"]).finish().exits(0).says("changed");
    refused(&good, "it is a provider, not a framework");

    let wrong = "0".repeat(64);
    refused(&project(&framework(), &format!("sha256 = \"{wrong}\"")), "`sha256` in offload.toml says 0000");
    let damaged = project(&framework(), "").file("offload.lock", "version = 1\n<<<<<<< HEAD\n");
    damaged.run(&[]).exits(3).says("offload.lock` are not usable").says("write them anew with `offload plugin lock`");
    damaged.offload(&["plugin", "lock"]).finish().exits(0);
    damaged.run(&[]).exits(0);
}

#[test]
fn a_component_from_the_web_is_fetched_once() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let bytes = framework();
    let served = std::thread::spawn(move || {
        let mut requests = 0;
        // Locking asks once, and the first use once more: then it is in the cache.
        for stream in listener.incoming().take(2) {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).expect("a request");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes)).expect("an answer");
            requests += 1;
        }
        requests
    });
    let config = format!(
        "[plugins.it]\nurl = \"http://{address}/it.wasm\"\n[plugins.it.allow]\nrun = [\"sh\"]\n[groups.g]\ntype = \"it\"\nworker = false\n"
    );
    let project = Project::new().config(&config);
    let cache = project.beside().join("cache");
    let offload = |arguments: &[&str]| project.offload(arguments).env("OFFLOAD_CACHE_DIR", &cache).finish();
    offload(&["run"]).exits(3).says("no digest says what it has to be").says("`offload plugin lock` fetches it");
    offload(&["plugin", "lock"]).exits(0);
    offload(&["run"]).exits(0).says("4 passed");
    assert_eq!(served.join().expect("the server ends"), 2);
    // Nobody answers at that address any more.
    offload(&["run"]).exits(0).says("4 passed");
    std::fs::remove_dir_all(&cache).expect("the cache is there");
    forget_reports(&project);
    offload(&["run"]).exits(3).says("it cannot be fetched from http://");
}

#[test]
fn what_there_is_can_be_listed_and_inspected() {
    let project = project(&framework(), "");
    let done = project.offload(&["plugin", "list"]).finish().exits(0);
    for name in ["local", "default", "pytest", "cargo", "go", "vitest", "it"] {
        assert!(done.stdout.lines().any(|line| line.starts_with(name)), "{}", done.stdout);
    }
    done.says("comes with offload").says("not pinned; may run sh");
    let json = project.offload(&["plugin", "list", "--format", "json"]).finish().exits(0).stdout;
    let listing: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let it = listing["plugins"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|plugin| plugin["name"] == "it")
        .expect("it is there");
    assert_eq!((it["kind"].as_str(), it["grants"]["run"][0].as_str()), (Some("framework"), Some("sh")));

    let elsewhere = Project::new();
    elsewhere.offload(&["plugin", "list"]).finish().exits(0).says("pytest");
    let path = guest("framework").display().to_string();
    elsewhere
        .offload(&["plugin", "inspect", &path])
        .finish()
        .exits(0)
        .says("rogue 1.0.0: misbehaves as it is told")
        .says("offload:plugin 0.1.0")
        .says("[plugins.offload_guest_framework.allow]")
        .says("run = [\"sh\"]");
    elsewhere.offload(&["plugin", "inspect", "none.wasm"]).finish().exits(3).says("its file cannot be read");
}

#[test]
fn a_component_is_tried_before_it_is_used() {
    let project = Project::new();
    let check = |kind: &str, settings: &str| {
        project.write("settings.toml", settings);
        let path = guest(kind).display().to_string();
        project.offload(&["plugin", "check", &path, "--settings", "settings.toml"]).finish()
    };
    check("framework", "")
        .exits(0)
        .says("a framework for offload:plugin 0.1.0")
        .says("fit for use")
        .says("MiB of memory");
    check("provider", "").exits(0).says("runs sh, as it says").says("fit for use");
    for (misdeed, expected) in [
        ("trap-in-needs", "plugin `offload_guest_framework` failed in `needs`"),
        ("trap-in-discover", "plugin `offload_guest_framework` failed in `discover`"),
        ("trap-in-parse-results", "fit for use"),
        ("trap-in-observe", "failed in `observe`"),
        ("trap-in-assign", "failed in `assign`"),
        ("nul", "which is empty, has NUL in it or is there twice"),
        ("twice", "which is empty, has NUL in it or is there twice"),
        ("other-program", "it runs `python3` and does not ask for that"),
        ("empty-command", "it names a command without a program"),
    ] {
        let done = check("framework", &format!("misdeed = \"{misdeed}\""));
        assert!(done.said().contains(expected), "{misdeed}: {}", done.said());
    }
    check("framework", "misdeed = \"twice\"").exits(1).says("not fit for use: one check failed");
    check("provider", "misdeed = \"trap-in-cancel\"").exits(1).says("failed in `cancel`");
    check("provider", "misdeed = \"run-in-create\"").exits(0).says("runs python3, sh, as it says");
    check("framework", "misdeed = 1 2").exits(3).says("are not valid TOML");
}

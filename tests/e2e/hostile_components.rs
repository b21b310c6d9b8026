//! Components that are made to exhaust the machine, before anything of them is used: one clear error, in little time and memory.

use std::fmt::Write;

use offload_tests::{Finished, Project};

/// Megabytes that offload may have held at most: its own 20, and what a component may have to describe itself.
const MOST_MEGABYTES: u64 = 400;

/// A component that passes for a framework, with these core modules, instances and sections before its exports.
fn component(parts: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            {parts}
            (core module $plain (memory (export "memory") 1) (func (export "describe") (result i32) unreachable)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
            (core instance $it (instantiate $plain))
            (type $info (record
                (field "name" string) (field "version" string) (field "description" string)
                (field "settings-schema" string) (field "requests" (list string))))
            (func $describe (result $info)
                (canon lift (core func $it "describe") (memory (core memory $it "memory")) (realloc (core func $it "realloc"))))
            (component $exported
                (import "info-type" (type $imported (eq $info)))
                (import "describe-function" (func $f (result $imported)))
                (export $named "info" (type $imported))
                (export "describe" (func $f) (func (result $named))))
            (instance $metadata (instantiate $exported
                (with "info-type" (type $info)) (with "describe-function" (func $describe))))
            (export "offload:plugin/metadata@0.1.0" (instance $metadata))
            (instance $nothing)
            (export "offload:plugin/framework@0.1.0" (instance $nothing)))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn inspect(component: &[u8]) -> Finished {
    let project = Project::new();
    std::fs::write(project.path().join("it.wasm"), component).expect("written");
    let done =
        project.offload(&["plugin", "inspect", "it.wasm"]).env("OFFLOAD_CACHE_DIR", project.temporary()).finish();
    let megabytes = done.peak_memory >> 20;
    assert!(megabytes < MOST_MEGABYTES, "{megabytes} MB; {}", done.said());
    done.exits(3)
}

/// What is tried here is a component, up to what is wrong with it.
#[test]
fn one_that_only_traps_is_a_component() {
    inspect(&component("")).says("plugin `it` failed in `describe`");
}

#[test]
fn memories_count_together() {
    // Each by itself is within bounds, and the start function touches all of it.
    let module = "(core module $m (memory 2000) (func $fill i32.const 0 i32.const 1 i32.const 131000000 memory.fill) (start $fill))";
    let many: String = (0..30).map(|number| format!("(core instance $i{number} (instantiate $m))")).collect();
    inspect(&component(&format!("{module}{many}"))).says("it wanted more memory than");
}

#[test]
fn tables_count_as_memory() {
    let module = "(core module $m (table 10000000 funcref))";
    let many: String = (0..30).map(|number| format!("(core instance $i{number} (instantiate $m))")).collect();
    inspect(&component(&format!("{module}{many}"))).says("it wanted more memory than");
}

#[test]
fn instances_are_counted() {
    let many: String = (0..500).map(|number| format!("(core instance $i{number} (instantiate $m))")).collect();
    inspect(&component(&format!("(core module $m){many}")))
        .says("it is made of more memories, tables or instances than");
}

/// Loops in loops, in each of which all variables of those inside change: what a compiler has to know of them grows with the square.
#[test]
fn compiling_has_limits() {
    const DEPTH: usize = 3000;
    let mut body = String::new();
    for number in 0..DEPTH {
        write!(body, "loop local.get {number} i32.const {number} i32.add local.set {number} ").expect("a string");
    }
    for number in (0..DEPTH).rev() {
        write!(body, "local.get {number} br_if 0 local.get 0 br_if {} end ", DEPTH - 1 - number).expect("a string");
    }
    let locals = "i32 ".repeat(DEPTH);
    let functions: String = (0..4).map(|_| format!("(func (local {locals}) {body})")).collect();
    let component = component(&format!("(core module $bomb {functions})"));
    inspect(&component).says("it cannot be compiled: compiling it takes more than");
}

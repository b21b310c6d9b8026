//! What is handed over must be understood by the oldest Python that there may be in a sandbox.

use std::process::Command;

use crate::suite::{Suite, python};

/// The grammar of 3.8, as far as a newer Python can tell.
#[test]
fn the_source_is_python_3_8() {
    let check = "import ast, sys; ast.parse(sys.argv[1], feature_version=(3, 8))";
    let output = Command::new(python())
        .args(["-c", check, &Suite::new(&[]).source()])
        .output()
        .expect("the Python of the tests starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

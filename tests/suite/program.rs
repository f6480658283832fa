//! `duet` as tests start it: never with what the user of this machine keeps, and on no certain day.

use crate::{handler::root, layers::sources};
use std::{env, fs, process::Command};

/// A day on which the built-in prices are new, now and after every update of them.
const TODAY: &str = "2026-09-01";

/// The program.
pub fn duet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duet"));
    isolate(&mut command);
    command
}

/// Has a command, and the programs that it starts, find no updated prices of the user, and one certain day.
pub fn isolate(command: &mut Command) -> &mut Command {
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/no-caches")).env("DUET_TODAY", TODAY)
}

#[test]
fn no_test_starts_the_program_in_another_way() {
    // Each names the program for a command that it isolates.
    let others = [
        "tests/suite/action.rs",
        "tests/suite/campaign/processes/changed.rs",
        "tests/suite/export/arguments.rs",
        "tests/suite/program.rs",
        "tests/suite/stack/documents.rs",
    ];
    let mut seen = 0;
    for path in sources(&root().join("tests/suite")) {
        if fs::read_to_string(&path).unwrap().contains("CARGO_BIN_EXE_duet") {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            assert!(others.contains(&name.as_str()), "{name}: start the program by program::duet");
            seen += 1;
        }
    }
    assert_eq!(seen, others.len());
}

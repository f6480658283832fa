//! The commands of README and docs/, as they are printed there.

use super::variable;
use crate::{documents::pages, handler::root, program::isolate, sample::everything};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How commands begin that are not run here, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("pip install lambda-duet", "scripts/try_wheel.py installs a wheel that was built here"),
    ("make ", "each target runs by itself, by hand, in CI or every night"),
    ("sam build && sam deploy --guided", "asks a person, for an account"),
    ("sam deploy --parameter-overrides", "confirms with a person; scripts/check_template.py looks at the parameters"),
    ("sam local ", "scripts/sam-local.sh runs them"),
    ("aws logs start-query ", "the emulator knows no statistics; tests/suite/logs.rs runs the queries"),
    ("aws logs get-query-results ", "see start-query"),
    ("duet prices --update", "AWS's price list has no emulator; tests/suite/prices.rs has a server of lists"),
    ("duet gate ", "needs campaigns of a pull request; tests/suite/gate.rs has some"),
];

/// The ports of `sam local`, whose callers scripts/sam-local.sh runs too.
const SAM_LOCAL: &str = "http://127.0.0.1:300";

/// Those that are too long for every run.
const NIGHTLY: [&str; 2] = ["sam deploy --config-env dev", "duet run --targets exec:.aws-sam/portable/"];

/// A command that goes on for ten minutes, and what makes it short.
const SHORTER: (&str, &str) = ("duet try orders --payload order.json", " --environment /environment --invocations 32");

/// Commands that ask at a terminal, which is not there, and the option that answers.
const ASKING: [(&str, &str); 4] =
    [("duet try ", " --yes"), ("duet clean-up", " --yes"), ("duet deploy", " --yes"), ("duet delete", " --yes")];

/// What the commands use of the project, by symbolic links in a directory of its own: campaigns leave files behind.
fn scratch() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documents");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).unwrap();
    for name in [".aws-sam", "events", "examples", "samconfig.toml"] {
        symlink(root().join(name), scratch.join(name)).unwrap();
    }
    // A payload of the user's own function.
    symlink(root().join("examples/orders/order.json"), scratch.join("order.json")).unwrap();
    install(&scratch);
    scratch
}

/// Puts the programs into `bin`, with the code that it deploys where a package has it.
fn install(scratch: &Path) {
    for directory in ["bin", "share"] {
        fs::create_dir(scratch.join(directory)).unwrap();
    }
    // By a symbolic link duet would look for the code where that leads.
    for program in [env!("CARGO_BIN_EXE_duet"), env!("CARGO_BIN_EXE_handler")].map(Path::new) {
        fs::hard_link(program, scratch.join("bin").join(program.file_name().unwrap())).unwrap();
    }
    symlink(root().join(".aws-sam/build"), scratch.join("share/lambda-duet")).unwrap();
}

/// The commands of a shell block, without those that are not run.
fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", "");
    let is_run = |line: &&str| {
        let skipped = NOT_RUN.iter().any(|(begin, _)| line.starts_with(begin))
            || line.contains(SAM_LOCAL)
            || !everything() && NIGHTLY.iter().any(|begin| line.starts_with(begin));
        !line.is_empty() && !skipped
    };
    joined.lines().filter(is_run).map(answered).collect()
}

/// The command with the answer to its question.
fn answered(line: &str) -> String {
    let shorter = if line == SHORTER.0 { SHORTER.1 } else { "" };
    let line = &format!("{line}{shorter}");
    let command = line.split(" #").next().unwrap();
    let asks = |(begin, _): &&(&str, &str)| line.starts_with(begin) && !line.contains("--dry-run");
    ASKING.iter().find(asks).map_or_else(|| line.clone(), |(_, answer)| format!("{}{answer}", command.trim_end()))
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn every_command_works_as_printed() {
    let blocks: Vec<(String, Vec<String>)> = pages()
        .into_iter()
        .flat_map(|page| page.shell_blocks().map(|block| (page.name.clone(), commands(block))).collect::<Vec<_>>())
        .filter(|(_, commands)| !commands.is_empty())
        .collect();
    assert!(blocks.len() >= 8, "the pages lost their commands: {blocks:?}");
    let tools = root().join(".tools/sam/bin");
    let deployed = Command::new(root().join("scripts/deploy-orders.sh")).status().unwrap();
    assert!(deployed.success());
    let scratch = scratch();
    let duet = scratch.join("bin");
    let duet = duet.display();
    for (page, commands) in blocks {
        let block = commands.join("\n");
        let output = isolate(&mut Command::new("bash"))
            .args(["-euo", "pipefail", "-c", &block])
            .current_dir(&scratch)
            .env("PATH", format!("{duet}:{}:{}", std::env::var("PATH").unwrap(), tools.display()))
            .env("API_URL", variable("DUET_API_URL"))
            .env("ARM64_FUNCTION", variable("DUET_ARM64_FUNCTION"))
            .env("X86_64_FUNCTION", variable("DUET_X86_64_FUNCTION"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{page}: {block}\n{text}");
        println!("{page}: {block}");
    }
}

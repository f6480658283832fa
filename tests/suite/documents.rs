//! What README and docs/ tell people to type is there.

use crate::{handler::root, layers::sources};
use std::{collections::BTreeSet, env, fs, path::PathBuf, process::Command};

/// A page for people.
pub struct Page {
    pub name: String,
    text: String,
}

/// README, CONTRIBUTING, and all of docs/.
pub fn pages() -> Vec<Page> {
    let mut paths = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    let mut docs: Vec<PathBuf> = fs::read_dir(root().join("docs")).unwrap().map(|it| it.unwrap().path()).collect();
    docs.sort();
    paths.extend(docs.into_iter().filter(|path| path.extension().is_some_and(|it| it == "md")));
    let page = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        Page { name, text: fs::read_to_string(path).unwrap() }
    };
    paths.into_iter().map(page).collect()
}

impl Page {
    /// The blocks that a shell is meant to run.
    pub fn shell_blocks(&self) -> impl Iterator<Item = &str> {
        self.text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap())
    }

    /// The commands that begin with this, wherever something is quoted: in a sentence, in a table, in a block.
    fn commands(&self, begin: &str) -> impl Iterator<Item = &str> {
        let quoted = self.text.split('`').skip(1).step_by(2);
        quoted.flat_map(str::lines).filter(move |line| line.starts_with(begin))
    }
}

/// The targets of the Makefile.
fn targets() -> BTreeSet<String> {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let target =
        |line: &str| Some(line.split_once(':')?.0.to_owned()).filter(|_| line.contains(": ") && line.contains("## "));
    makefile.lines().filter_map(target).collect()
}

#[test]
fn commands_are_in_blocks_that_a_test_runs() {
    for page in pages() {
        let mut fenced = false;
        for line in page.text.lines() {
            fenced ^= line.starts_with("```");
            let starts =
                ["duet ", "make ", "sam ", "aws ", "cargo ", "curl "].iter().any(|it| line.trim().starts_with(it));
            assert!(fenced || !(line.starts_with("    ") && starts), "{}: not in a block of sh: {line}", page.name);
        }
    }
}

#[test]
fn every_make_target_that_pages_name_exists() {
    let targets = targets();
    assert!(targets.contains("check") && targets.contains("nightly"), "{targets:?}");
    let script = fs::read_to_string(root().join("scripts/bench.sh")).unwrap();
    let list = script.split_once("\nbenchmarks=(").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
    let benchmarks: Vec<&str> = list.split_whitespace().collect();
    let mut seen = 0;
    for page in pages() {
        for command in page.commands("make ") {
            let words: Vec<&str> = command.split_whitespace().skip(1).collect();
            assert!(words.first().is_some_and(|target| targets.contains(*target)), "{}: {command}", page.name);
            if let Some(name) = words.iter().find_map(|word| word.strip_prefix("BENCH=")) {
                assert!(benchmarks.contains(&name), "{}: {command}", page.name);
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} commands of make were found");
}

#[test]
fn every_night_runs_what_make_nightly_runs() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (makefile, workflow) = (read("Makefile"), read(".github/workflows/nightly.yml"));
    let recipe = makefile.split_once("\nnightly:").and_then(|(_, rest)| rest.split_once("\n\n")).unwrap().0;
    let by_hand: BTreeSet<&str> = recipe.lines().filter_map(|line| line.strip_prefix("\t$(MAKE) ")).collect();
    let jobs = workflow.lines().filter_map(|line| line.trim().strip_prefix("- make "));
    let every_night: BTreeSet<&str> = jobs.flat_map(|job| job.split(" && make ")).collect();
    assert!(by_hand.contains("test DUET_SAMPLE=all"), "{by_hand:?}");
    assert_eq!(by_hand, every_night);
}

/// `cargo test … FILTER` proves something only where the filter finds a test.
#[test]
fn every_test_that_pages_name_exists() {
    let list = Command::new(env::current_exe().unwrap()).args(["--list"]).output().unwrap();
    let suite = String::from_utf8(list.stdout).unwrap();
    // A test's name has its module in it.
    let text = |path: &PathBuf| format!("{}\n{}", path.display(), fs::read_to_string(path).unwrap());
    let sources: Vec<String> = sources(&root().join("src")).iter().map(text).collect();
    let mut seen = 0;
    for page in pages() {
        for command in page.commands("cargo test --all-features") {
            let words: Vec<&str> = command.split_whitespace().skip(3).filter(|word| *word != "--").collect();
            let (of_suite, filter) = match words.as_slice() {
                ["--lib"] | ["--test", "suite"] => continue,
                ["--lib", filter] => (false, *filter),
                ["--test", "suite", filter] => (true, *filter),
                [filter] => (false, *filter),
                _ => panic!("{}: not understood: {command}", page.name),
            };
            let found = if of_suite {
                suite.lines().any(|line| line.contains(filter))
            } else {
                sources.iter().any(|source| source.contains(filter))
            };
            assert!(found, "{}: no test is meant by {command}", page.name);
            seen += 1;
        }
    }
    assert!(seen > 15, "only {seen} filters were found");
}

#[test]
fn the_probe_is_shown_as_it_is() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    assert!(read("docs/try.md").contains(&format!("```text\n{}```\n", read("src/campaign/clones/probe.sh"))));
}

//! A program is the same from its first call to its last, as a function is.

use super::{Scratch, assert_code, campaign, function, samples};
use crate::{
    cli::{duet, stderr, stdout},
    program::isolate,
};
use serde_json::Value;
use std::{fs, process::Command};

const ANSWER: &str = "serve(lambda event: '{}')";

/// The warnings of the report, each as its kind and its text.
fn warnings(directory: &str) -> Vec<(String, String)> {
    let analysis = crate::report::pair(&stdout(&duet(&["report", directory, "--format", "json"])));
    let text = |warning: &Value, member: &str| warning[member].as_str().unwrap().to_owned();
    let warnings = analysis["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| (text(warning, "kind"), text(warning, "text"))).collect()
}

/// The entries of `configurations.json`, which fit their schema.
fn kept(scratch: &Scratch) -> Value {
    let text = fs::read_to_string(crate::handler::root().join("docs/schema/configurations.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let kept = serde_json::from_str(&fs::read_to_string(scratch.path("run/configurations.json")).unwrap()).unwrap();
    schema.validate(&kept).unwrap_or_else(|error| panic!("{error}: {kept}"));
    kept
}

#[test]
fn a_campaign_is_continued_on_another_build_only_with_allow_changed() {
    let scratch = Scratch::new();
    let [fast, slow] = ["fast", "slow"].map(|name| function(&scratch, name, ANSWER));
    assert_code(&campaign(&scratch, &fast, &slow, &["--invocations", "4"]).output().unwrap(), 0);
    let (run, rows) = (scratch.path("run"), scratch.path("run/samples.jsonl"));
    let (manifest, _) = samples(&run);
    let program = manifest.variants.iter().nth(1).unwrap().1.program.clone().unwrap();
    let first: String = fs::read_to_string(&rows).unwrap().split_inclusive('\n').take(2).collect();
    fs::write(&rows, &first).unwrap();
    function(&scratch, "slow", &format!("{ANSWER}\n# another build"));
    let refused = super::super::run("", &["--resume", &run]);
    assert_code(&refused, 1);
    let changed = format!("size of the program: {} bytes, was {} bytes", program.bytes + 16, program.bytes);
    let message = stderr(&refused);
    assert!(message.contains(&format!("duet: {slow} is not as it was before: SHA-256 of the program: ")), "{message}");
    assert!(
        message.contains(&format!("{changed}; begin a new campaign, or mix both with --allow-changed")),
        "{message}"
    );
    assert_eq!(fs::read_to_string(&rows).unwrap(), first);

    assert_code(&super::super::run("", &["--resume", &run, "--allow-changed"]), 0);
    assert_eq!(samples(&run).1.len(), 4);
    let warnings = warnings(&run);
    let mixed = warnings.iter().find(|(kind, _)| kind == "function-revised").expect("a warning");
    assert!(
        mixed.1.starts_with("Samples of candidate from before and after a change are mixed, as was wanted: "),
        "{mixed:?}"
    );
    let kept = kept(&scratch);
    assert_eq!((&kept[0]["variant"], &kept[0]["program"]["bytes"]), (&1.into(), &(program.bytes + 16).into()));
    // Nothing has changed since.
    assert_code(&super::super::run("", &["--resume", &run]), 0);
}

#[test]
fn a_build_that_is_replaced_during_a_campaign_withholds_the_verdict() {
    let scratch = Scratch::new();
    let steady = function(&scratch, "steady", ANSWER);
    let replaced = "def answer(event):\n    open(__file__, 'a').write('#')\n    return '{}'\nserve(answer)\n";
    let replaced = function(&scratch, "replaced", replaced);
    let output = campaign(&scratch, &steady, &replaced, &["--invocations", "4"]).output().unwrap();
    assert_code(&output, 0);
    let message = stderr(&output);
    assert!(
        message.contains(&format!("Warning: {replaced} was changed meanwhile: SHA-256 of the program: ")),
        "{message}"
    );
    let kinds: Vec<String> = warnings(&scratch.path("run")).into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&"function-changed".to_owned()), "{kinds:?}");
    assert_eq!(kept(&scratch).as_array().unwrap().len(), 1);
}

#[test]
fn a_program_that_is_gone_has_changed_and_hides_no_other_change() {
    let scratch = Scratch::new();
    let gone = "def answer(event):\n    if os.path.exists(__file__):\n        os.remove(__file__)\n    return '{}'\nserve(answer)\n";
    let replaced = "def answer(event):\n    open(__file__, 'a').write('#')\n    return '{}'\nserve(answer)\n";
    let (gone, replaced) = (function(&scratch, "gone", gone), function(&scratch, "replaced", replaced));
    let output = campaign(&scratch, &gone, &replaced, &["--invocations", "4"]).output().unwrap();
    assert_code(&output, 0);
    let message = stderr(&output);
    for changed in [format!("{gone} was changed meanwhile: the program is gone"), format!("{replaced} was changed ")] {
        assert!(message.contains(&format!("Warning: {changed}")), "{message}");
    }
    let kept = kept(&scratch);
    assert_eq!(kept.as_array().unwrap().len(), 2);
    assert_eq!((&kept[0]["variant"], kept[0].get("program")), (&0.into(), Some(&Value::Null)));
    let kinds: Vec<String> = warnings(&scratch.path("run")).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "function-changed").count(), 2, "{kinds:?}");
}

#[test]
fn a_campaign_whose_program_is_gone_is_not_continued() {
    let scratch = Scratch::new();
    let [fast, slow] = ["fast", "slow"].map(|name| function(&scratch, name, ANSWER));
    assert_code(&campaign(&scratch, &fast, &slow, &["--invocations", "2"]).output().unwrap(), 0);
    fs::remove_file(scratch.path("slow")).unwrap();
    let refused = super::super::run("", &["--resume", &scratch.path("run"), "--allow-changed"]);
    assert_code(&refused, 1);
    let expected = format!("{slow} is not as it was before: the program is gone; put it back, or begin a new campaign");
    assert!(stderr(&refused).contains(&expected), "{}", stderr(&refused));
}

#[test]
fn a_campaign_of_an_earlier_version_has_no_programs_to_compare() {
    let scratch = Scratch::new();
    let target = function(&scratch, "bootstrap", ANSWER);
    assert_code(&campaign(&scratch, &target, &target, &["--invocations", "2"]).output().unwrap(), 0);
    let path = scratch.path("run/campaign.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for variant in manifest["variants"].as_array_mut().unwrap() {
        assert!(variant.as_object_mut().unwrap().remove("program").is_some());
    }
    fs::write(&path, manifest.to_string()).unwrap();
    function(&scratch, "bootstrap", &format!("{ANSWER}\n# another build"));
    assert_code(&super::super::run("", &["--resume", &scratch.path("run")]), 0);
    assert!(!scratch.0.join("run/configurations.json").exists());
}

#[test]
fn local_says_what_it_needs() {
    let scratch = Scratch::new();
    let duet = scratch.path("duet");
    fs::hard_link(env!("CARGO_BIN_EXE_duet"), &duet).unwrap();
    let needs = "handler: No such file or directory (os error 2); local is this project's own program handler, which must be in \
                 the same directory as duet: `cargo build --release --features lambda` builds both, and exec:PATH names \
                 another program";
    for arguments in [["call", "local"].as_slice(), &["run", "--targets", "local", "local", "--dry-run"]] {
        let output = isolate(&mut Command::new(&duet)).args(arguments).output().unwrap();
        assert_code(&output, 1);
        let message = stderr(&output).replace("cannot be started: ", "").replace("handler No such", "handler: No such");
        assert!(message.contains(needs), "{message}");
    }
}

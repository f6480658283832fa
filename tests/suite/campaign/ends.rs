//! What a campaign says at its end.

use super::{Scratch, assert_code, run, run_plain};
use crate::{
    cli::stderr,
    scripted::{Reply, Scripted},
};

/// The lines behind the first that starts with `start`, itself included, without the time that the campaign took.
fn lines_from<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().skip_while(|line| !line.starts_with(start)).collect()
}

#[test]
fn a_campaign_without_a_success_that_has_reached_its_limit_is_over() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, _| Reply::status(400, "it is broken"));
    let output = run_plain(&scratch, &target, &["--environments", "1", "--invocations", "4"]);
    assert_code(&output, 3);
    let text = stderr(&output);
    let lines = lines_from(&text, "Given up");
    let over = "Over: all calls are made (--invocations 4). There is nothing to compare, and nothing to continue: begin a new \
                campaign, once that is fixed.";
    assert_eq!(lines[1], over, "{text}");
    assert!(!text.contains("--resume"), "{text}");
    assert_code(&run("", &["--resume", &scratch.path("run")]), 3);
    assert_eq!(target.count(), 4);
}

#[test]
fn a_function_of_ones_own_without_a_payload_is_told_what_it_takes() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, _| Reply::ok("{\"ok\": true}"));
    let out = scratch.path("run");
    let targets = [format!("a={}", target.url), format!("b={}", target.url)];
    let arguments = [
        ["--targets", &targets[0], &targets[1], "--no-auth", "--workload", "math/fft", "--out", &out].as_slice(),
        &["--environments", "1", "--invocations", "40", "--seed", "1"],
    ]
    .concat();
    let output = run("", &arguments);
    assert_code(&output, 3);
    let text = stderr(&output);
    let hint =
        "this is not an answer of the benchmark service; a function of your own takes a campaign with --payload FILE (";
    let shown: Vec<&str> = text.lines().filter(|line| line.contains(hint)).collect();
    let first = shown[0].split(',').next().unwrap();
    assert!(shown.len() == 1 && ["a", "b"].contains(&first), "{text}");
    let given_up = |name: &str| {
        format!("Given up: the last 5 calls of {name} failed for the reason that is given above for {first}")
    };
    let lines = lines_from(&text, "Given up");
    assert!([given_up("a"), given_up("b")].contains(&lines[0].to_owned()), "{text}");
    let not_over = format!(
        "The campaign is not over: the samples so far are kept; continue with `duet run --resume {out}`, once that is fixed."
    );
    assert_eq!(lines[1], not_over);
}

#[test]
fn a_summary_counts_the_environments_that_have_answered() {
    let scratch = Scratch::new();
    // The first call of each variant meets an environment of which only a failure is known.
    let target = Scripted::start(|_, number| match number {
        0 | 1 => Reply::status(400, "{\"id\": \"broken\"}"),
        _ => Reply::ok(format!("{{\"id\": \"{}\"}}", number % 2)),
    });
    let arguments = ["--environments", "1", "--invocations", "8", "--environment", "/id"];
    let output = run_plain(&scratch, &target, &arguments);
    assert_code(&output, 0);
    let text = stderr(&output);
    let lines = lines_from(&text, "Complete: ");
    for (line, name) in lines[1..].iter().zip(["baseline  ", "candidate "]) {
        assert!(
            line.starts_with(&format!("{name} 4 calls, ")) && line.contains(" cold, 1 failed, 0 made again, $"),
            "{text}"
        );
        assert!(line.contains(" 1 environment, ") || line.contains(" 2 environments, "), "{text}");
        assert_eq!(line.trim_end(), *line);
    }
    // Without names there is nothing to count.
    let scratch = Scratch::new();
    let output = run_plain(&scratch, &target, &["--environments", "1", "--invocations", "2"]);
    assert!(
        stderr(&output).contains("baseline   1 call, environments unknown, 0 cold, 0 failed, 0 made again, $"),
        "{}",
        stderr(&output)
    );
}

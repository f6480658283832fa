//! What people see on a terminal while a campaign runs.

use super::{Scratch, command};
use crate::scripted::{Reply, Scripted};
use std::{process::Command, time::Duration};

#[test]
fn a_terminal_shows_both_sides_as_they_go() {
    let scratch = Scratch::new();
    // One of the first calls fails; each takes a while, so that the display has something to follow.
    let target = Scripted::start(|_, number| match number {
        1 => Reply::status(500, "broken"),
        _ => Reply::ok(format!(r#"{{"id": "env-{}"}}"#, number % 4)).after(Duration::from_millis(60)),
    });
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let run = command(
        "",
        &[
            ["--targets", &target.url, &target.url, "--no-auth", "--payload", &payload, "--out", &out].as_slice(),
            &["--environment", "/id", "--environments", "1", "--invocations", "20", "--max-cost", "0.25"],
        ]
        .concat(),
    );
    let words = std::iter::once(run.get_program()).chain(run.get_args());
    let quoted: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    // `script` gives it a terminal, as wide as a line needs.
    let output = Command::new("script")
        .args(["-qec", &format!("stty cols 200 rows 50; exec {}", quoted.join(" ")), "/dev/null"])
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("script, of util-linux");
    let seen = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{seen}");
    // What stands before the end was shown while calls were made.
    let (live, end) = seen.split_once("Complete: ").expect("an end");
    let lines = |name: &str| -> Vec<&str> {
        live.split(['\n', '\r'])
            .filter_map(|line| line.split_once(name)?.1.split_once("calls, ").map(|_| line))
            .collect()
    };
    for side in ["baseline", "candidate"] {
        let shown = lines(side);
        assert!(shown.len() > 1, "{side}: {live:?}");
        let last = shown.last().unwrap();
        assert!(last.contains(" environments, 0 cold, ") && last.contains(" made again, $0.0000"), "{last:?}");
        let calls = |line: &str| line.split_once(side)?.1.split_whitespace().next()?.parse::<u32>().ok();
        let counts: Vec<u32> = shown.iter().filter_map(|line| calls(line)).collect();
        assert!(counts.is_sorted() && counts.first() < counts.last(), "{side}: {counts:?}");
        assert!(end.contains(&format!("{side:<10} 10 calls, ")), "{end:?}");
    }
    let failed = lines("baseline").iter().chain(&lines("candidate")).any(|line| line.contains("1 failed"));
    assert!(failed && live.contains("HTTP 500: broken"), "{live:?}");
    assert!(live.contains("ends after 10m, after 20 calls, at $0.25") && live.contains('%'), "{live:?}");
}

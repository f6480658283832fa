//! What reports say of tables that leave things out.

use super::{import, pair};
use crate::{
    campaign::Scratch,
    cli::{duet, stdout},
};
use serde_json::Value;
use std::fs;

/// A table of these variants: 8 days, and environments, CPU models and cells for those who name them.
fn table_of(variants: &[&str]) -> String {
    let row = |row: usize| {
        let (day, variant) = (1 + row / (6 * variants.len()), row % variants.len());
        let ms = 10.0 + variant as f64 + (row * 7 % 13) as f64 / 20.0;
        let (name, cell) = (variants[variant], row / variants.len() % 2);
        format!("{name},{ms},2026-04-0{day},{name}-{row},Xeon {},cell {cell}\n", row % 3)
    };
    "arch,ms,day,host,cpu,work\n".to_owned() + &(0..8 * 6 * variants.len()).map(row).collect::<String>()
}

#[test]
fn nothing_is_said_of_a_table_that_is_not_true_of_it() {
    let scratch = Scratch::new();
    let [two, four] = [["x86_64", "arm64"].as_slice(), &["a", "b", "c", "d"]].map(table_of);
    let two = scratch.file("two.csv", &two);
    let four = scratch.file("four.csv", &four);
    let few = scratch.file("few.csv", "arch,ms,day,host\nx86_64,1,1,h1\narm64,2,1,h2\n");
    let cases: [(&str, &[&str]); 9] = [
        (&two, &[]),
        (&two, &["--block", "day"]),
        (&two, &["--block", "day", "--environment", "host"]),
        (&two, &["--block", "day", "--environment", "host", "--cpu-model", "cpu", "--cell", "work"]),
        (&two, &["--block", "day", "--measure", "init"]),
        (&two, &["--environment", "host", "--measure", "billed"]),
        (&few, &["--block", "day", "--environment", "host"]),
        (&four, &[]),
        (&four, &["--block", "day", "--environment", "host", "--cell", "work"]),
    ];
    let (run, page) = (scratch.path("run"), scratch.path("page.html"));
    for (file, options) in cases {
        stdout(&import(&scratch, file, &[&["--variant", "arch", "--value", "ms"], options].concat()));
        let report = stdout(&duet(&["report", &run, "--details", "--html", &page]));
        let limits = ["--max-slowdown", "5%", "--max-cost-increase", "5%", "--max-latency", "p99=1s"];
        let gate = duet(&[&["gate", &run], limits.as_slice()].concat());
        let texts = [
            report,
            fs::read_to_string(&page).unwrap().replace(include_str!("../../../src/report/html/style.css"), ""),
            stdout(&duet(&["report", &run, "--format", "markdown"])),
            String::from_utf8(gate.stdout).unwrap(),
            stdout(&duet(&["compare", &run, &run])),
        ];
        let has_cpu_models = options.contains(&"--cpu-model");
        for text in texts {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let untrue = [
                " 1/1 ",
                ">1/1<",
                "1 env.",
                "1 environments",
                " answered",
                "Bills",
                "No bill",
                "billed durations",
                "prices",
                "seed",
                "cold call",
                "Other measures",
                "each block visits",
                "single calls",
                "their calls",
                "Times of calls",
                "several calls",
                ">calls<",
                "looked at once",
                "import:",
                "0 cold",
                "spent",
            ];
            let of_fleets = ["fleet", "CPU model<", "CPUs have to do"].into_iter().filter(|_| !has_cpu_models);
            for part in untrue.into_iter().chain(of_fleets) {
                // Two environments of one row each are known, and are one of each side.
                let is_known = file == few && (part.contains("1/1") || part == "1 env.");
                assert!(!text.contains(part) || is_known, "{options:?}: {part:?} is in\n{text}");
            }
        }
        let analysis: Value = serde_json::from_str(&stdout(&duet(&["report", &run, "--format", "json"]))).unwrap();
        pair(&run);
        for member in ["seed", "order", "environments_per_step"] {
            assert_eq!(analysis["campaign"][member], Value::Null, "{member}");
        }
        for member in ["cold_calls", "failures", "spent_usd", "emulated"] {
            assert_eq!(analysis["variants"][0][member], Value::Null, "{member}");
        }
        assert_eq!(analysis["variants"][0]["unseen"].is_null(), !has_cpu_models);
        let has_times = options.contains(&"--block") && file != few;
        assert_eq!(analysis["campaign"]["elapsed_ms"].is_null(), !has_times, "{options:?}");
        let cell = &analysis["comparisons"][0]["cells"][0];
        assert_eq!(cell["series"][0]["elapsed_s"].is_null(), !has_times);
        let are_known = options.iter().any(|option| ["--environment", "init"].contains(option));
        let of = |environments: &Value| environments["baseline"].as_u64().unwrap() > 0;
        assert_eq!(of(&cell["comparisons"][0]["environments"]), are_known, "{options:?}");
        assert_eq!(of(&cell["series"][0]["environments"]), are_known, "{options:?}");
        let csv = stdout(&duet(&["report", &run, "--format", "csv"]));
        assert_eq!(csv.lines().nth(1).unwrap().split(',').nth(10).unwrap().is_empty(), !are_known, "{csv}");
        fs::remove_dir_all(&run).unwrap();
    }
}

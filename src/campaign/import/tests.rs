use super::*;
use crate::campaign::{
    Target,
    row::Row,
    run_directory::{self, Journal},
    variants::VariantIndex,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::sync::watch;

mod directories;
mod tools;

/// A directory for one test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lambda-duet-import-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn table(&self, name: &str, text: impl AsRef<[u8]>) -> Source {
        self.table_of(name, text, columns())
    }

    fn table_of(&self, name: &str, text: impl AsRef<[u8]>, columns: Columns) -> Source {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        if name.ends_with(".jsonl") { Source::JsonLines(path, columns) } else { Source::Csv(path, columns) }
    }

    fn import(&self, source: &Source, choices: &Choices) -> Result<Imported, String> {
        let file = source.path().display().to_string();
        import(source, choices, &self.0.join("run"), &never()).map_err(|error| error.to_string().replace(&file, "FILE"))
    }

    fn rows(&self) -> Vec<Row> {
        let manifest = run_directory::manifest(&self.0.join("run")).unwrap();
        run_directory::rows(&self.0.join("run"), &manifest).unwrap().map(Result::unwrap).collect()
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What never ends an import.
fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

fn columns() -> Columns {
    Columns {
        value: "ms".to_owned(),
        variant: vec!["cpu".to_owned()],
        block: Some("day".to_owned()),
        ..Columns::default()
    }
}

fn choices(measure: ImportedMeasure) -> Choices {
    Choices { measure, environments: EnvironmentNames::EachRow, baseline: None }
}

fn durations() -> Choices {
    choices(ImportedMeasure::Duration)
}

const TABLE: &str = "day,cpu,ms\n2026-04-26,arm64,1.5\n2026-04-25,x86_64,2\n2026-04-26,x86_64,2.5\n";

#[test]
fn a_row_becomes_a_sample() {
    let scratch = Scratch::new();
    let table = scratch.table("a.csv", TABLE);
    let Imported { manifest, measurements, blocks } = scratch.import(&table, &durations()).unwrap();
    assert_eq!((measurements, blocks), (3, 2));
    assert_eq!(manifest, run_directory::manifest(&scratch.0.join("run")).unwrap());
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    assert_eq!((names.as_slice(), manifest.baseline.get()), (["arm64", "x86_64"].as_slice(), 1));
    let file = table.path().display().to_string();
    assert_eq!(manifest.variants[VariantIndex::default()].target, Target::Import { file: file.clone() });
    let import = manifest.imported.unwrap();
    assert_eq!((import.files, import.has_times, import.columns), (vec![file], true, Some(columns())));
    const DAY_MS: u64 = 86_400_000;
    let rows = scratch.rows();
    let facts =
        |row: &Row| (row.variant.get(), row.block, row.elapsed_ms, row.report.clone().unwrap().duration_ms.unwrap());
    let facts: Vec<_> = rows.iter().map(facts).collect();
    assert_eq!(facts, [(0, 0, DAY_MS, 1.5), (1, 1, 0, 2.0), (1, 0, DAY_MS, 2.5)]);
    assert_eq!(rows[0].started_unix_ms, 1_777_161_600_000);
    assert_eq!(
        rows.iter().map(|row| row.environment.as_deref().unwrap()).collect::<Vec<_>>(),
        ["row 1", "row 2", "row 3"]
    );
    assert!(rows.iter().all(|row| row.cell == "ms" && row.cold == Some(false) && row.latency_ns == 0));
    assert!(rows.iter().all(|row| row.believed_report().is_some()));
}

#[test]
fn each_measure_has_its_place() {
    let row = |measure| {
        let scratch = Scratch::new();
        scratch.import(&scratch.table("a.csv", TABLE), &choices(measure)).unwrap();
        scratch.rows().remove(0)
    };
    assert_eq!(row(ImportedMeasure::Billed).report.unwrap().billed_ms, Some(1.5));
    let start = row(ImportedMeasure::Init);
    assert_eq!((start.report.as_ref().unwrap().init_ms, start.cold), (Some(1.5), Some(true)));
    // An environment that starts has no other measurement, and needs no name.
    assert_eq!((start.environment.as_deref(), start.has_earlier_init()), (None, false));
    let waited = row(ImportedMeasure::Latency);
    assert_eq!((waited.latency_ns, waited.report), (1_500_000, None));
}

#[test]
fn columns_name_variants_cells_and_environments() {
    let scratch = Scratch::new();
    let columns = Columns {
        value: "ns".to_owned(),
        unit: Unit::Ns,
        variant: ["cpu", "mb"].map(str::to_owned).into(),
        cell: ["work", "size"].map(str::to_owned).into(),
        block: None,
        environment: Some("host".to_owned()),
        cpu_model: Some("model".to_owned()),
    };
    let text = "cpu,mb,work,size,host,model,ns\nx,1,sort,s,h1,Xeon,5e6\nx,2,sort,l,h2,EPYC,7e6\n";
    let table = scratch.table_of("a.csv", text, columns);
    let of_hosts = Choices { environments: EnvironmentNames::Named, baseline: Some("x-2".to_owned()), ..durations() };
    let manifest = scratch.import(&table, &of_hosts).unwrap().manifest;
    assert_eq!(manifest.variants[manifest.baseline].name, "x-2");
    let import = manifest.imported.unwrap();
    assert!(!import.has_blocks && !import.has_times && import.has_cpu_models);
    let facts = |row: &Row| format!("{} {:?} {:?} {}", row.cell, row.environment(), row.cpu_model(), row.block);
    let rows: Vec<String> = scratch.rows().iter().map(facts).collect();
    assert_eq!(rows, [r#"sort-s Some("h1") Some("Xeon") 0"#, r#"sort-l Some("h2") Some("EPYC") 0"#]);
    assert_eq!(scratch.rows()[1].report.as_ref().unwrap().duration_ms, Some(7.0));
}

#[test]
fn a_name_that_has_a_comma_stands_in_quotation_marks() {
    let names = |list| column_names(list).unwrap();
    assert_eq!(names("a, b"), ["a", "b"]);
    assert_eq!(names("\"a, b\",\"5\"\" disk\""), ["a, b", "5\" disk"]);
    for (list, reason) in [("", "no name"), ("a,,b", "no name"), ("\"a", "never closed"), ("a\"b", "within a value")] {
        let error = column_names(list).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    let scratch = Scratch::new();
    let columns = Columns { value: "ms".to_owned(), variant: names("\"cpu, mb\""), ..Columns::default() };
    let table = scratch.table_of("a.csv", "\"cpu, mb\",ms\nx,1\ny,2\n", columns);
    assert_eq!(scratch.import(&table, &durations()).unwrap().measurements, 2);
}

#[test]
fn different_values_never_share_a_name() {
    let scratch = Scratch::new();
    let columns =
        Columns { value: "ms".to_owned(), variant: ["a", "b"].map(str::to_owned).into(), ..Columns::default() };
    let table = scratch.table_of("a.csv", "a,b,ms\nx,y-z,1\nx-y,z,2\n", columns);
    let error = scratch.import(&table, &durations()).unwrap_err();
    assert!(error.starts_with("FILE, line 3: \"x-y-z\" is already the name of other values"), "{error}");
}

#[test]
fn units_are_of_milliseconds() {
    assert_eq!([Unit::Ns, Unit::Us, Unit::Ms, Unit::S].map(|unit| unit.to_ms(2.5e6)), [2.5, 2.5e3, 2.5e6, 2.5e9]);
}

#[test]
fn what_csv_allows_is_read() {
    for text in [
        "\u{feff}day,cpu,ms\r\n1,x,1\r\n\r\n1,y,2\r\n",
        "other,ms, day ,cpu\n\"a \"\"word\"\"\nand a line\",1, 1 ,x\n,2,1,\"y\"",
    ] {
        let scratch = Scratch::new();
        let imported = scratch.import(&scratch.table("a.csv", text), &durations()).unwrap();
        assert_eq!((imported.measurements, imported.blocks), (2, 1), "{text}");
        assert!(!imported.manifest.imported.unwrap().has_times);
    }
}

#[test]
fn a_json_object_is_a_row() {
    let scratch = Scratch::new();
    let text = "{\"ms\": 1.5, \"day\": 7, \"cpu\": \"x\"}\n\n{\"day\": 8, \"cpu\": \"y\", \"ms\": \"2e0\", \"more\": [null]}\n";
    scratch.import(&scratch.table("a.jsonl", text), &durations()).unwrap();
    let values = scratch.rows().iter().map(|row| row.report.as_ref().unwrap().duration_ms.unwrap()).collect::<Vec<_>>();
    assert_eq!(values, [1.5, 2.0]);
}

#[test]
fn what_is_wrong_is_refused_with_its_line_and_leaves_nothing() {
    let many: String = (0..65).map(|number| format!("1,v{number},1\n")).collect();
    let many = format!("day,cpu,ms\n{many}");
    let long = format!("day,cpu,ms\n1,{},1\n", "x".repeat(300));
    let cases: &[(&str, &[u8], &str)] = &[
        ("a.csv", b"", "FILE: the file is empty"),
        ("a.csv", b"day,cpu,ms\n", "FILE: there is no measurement"),
        ("a.csv", b"day,cpus,ms\n1,x,1\n", "FILE, line 1: there is no column \"cpu\"; did you mean \"cpus\"?"),
        ("a.csv", b"a,b\n", "FILE, line 1: there is no column \"ms\"; there are a, b"),
        ("a.csv", b"day,cpu,ms,ms\n1,x,1,2\n", "FILE, line 1: there are two columns \"ms\""),
        ("a.csv", b"day,cpu,ms\n1,x,1\n1,x,2\n", "FILE: \"x\" is the only variant"),
        ("a.csv", many.as_bytes(), "FILE, line 66: \"v64\" is one more variant than 64"),
        (
            "a.csv",
            b"day,cpu,ms\r\n1,x,1\r\n\r\n1,y,fast\r\n",
            "FILE, line 4: the column ms is \"fast\"; it must be a number of ms",
        ),
        ("a.csv", b"day,cpu,ms\n1,x,0\n", "FILE, line 2: the column ms is \"0\""),
        ("a.csv", b"day,cpu,ms\n1,x,-1\n", "line 2: the column ms is \"-1\""),
        ("a.csv", b"day,cpu,ms\n1,x,NaN\n", "line 2: the column ms is \"NaN\""),
        ("a.csv", b"day,cpu,ms\n1,x,inf\n", "line 2: the column ms is \"inf\""),
        ("a.csv", b"day,cpu,ms\n1,x,1e12\n", "line 2: the column ms is \"1e12\""),
        ("a.csv", b"day,cpu,ms\n1,x,\n", "line 2: the column ms is empty"),
        ("a.csv", b"day,cpu,ms\n1,,1\n", "line 2: the column cpu is empty"),
        (
            "a.csv",
            b"day,cpu,ms\n1,x\x1b[2J,1\n",
            "line 2: the column cpu is \"x\\u{1b}[2J\"; a name has no control characters",
        ),
        ("a.csv", long.as_bytes(), "line 2: the column cpu has 300 bytes; a name has at most 256"),
        ("a.csv", b"day,cpu,ms\n1,x,1\n1,x\n", "line 3: this row has values for 2 of the 3 columns of the header"),
        ("a.csv", b"day,cpu,ms,note\n1,x,1,\"a\n1,y,2,b\n", "line 2: a quotation mark is opened and never closed"),
        ("a.csv", b"day,cpu,ms\n1,x,1\n1,\"y\" z,1\n", "line 3: text follows the quotation mark that closes a value"),
        ("a.csv", b"day,cpu,ms\n1,x,1\n1,5\" disk,1\n", "line 3: a quotation mark stands within a value"),
        ("a.csv", b"\"day,cpu,ms\n1,x,1\n", "line 1: a quotation mark is opened and never closed"),
        ("a.csv", b"day;cpu;ms\n1;x;1,5\n", "FILE: semicolons stand between its columns: write the table with commas"),
        ("a.csv", b"day\tcpu\tms, in words\tms\n", "FILE: tabs stand between its columns"),
        ("a.csv", b"\xef\xbb\xbf[\n {\"day\": 1}]", "FILE: this is a JSON array: put each of its objects on a line"),
        ("a.csv", b"{\"day\": 1, \"cpu\": \"x\"}\n", "FILE: this is a JSON object per line: add --from json-lines"),
        ("a.csv", b"{\n\"day\": 1}\n", "FILE: this is a JSON object over several lines: if a tool wrote it"),
        (
            "a.csv",
            b"{\n\"results\": [{\"command\": \"x\", \"times\": [1]}]}\n",
            "FILE: this looks like a file of hyperfine: import it with --from hyperfine",
        ),
        ("a.csv", b"{\n\"_invocations\": {", "FILE: this looks like a file of sebs: import it with --from sebs"),
        ("a.csv", b"[x],{y},(z)\n1,2,3\n", "FILE, line 1: there is no column \"ms\""),
        ("a.csv", b"day,cpu,ms\n1,\xff,1\n", "line 2: this is not UTF-8"),
        ("a.jsonl", b"", "FILE: there is no measurement"),
        (
            "a.jsonl",
            b"{\"day\": 1, \"cpu\": \"x\", \"ms\": 1}\n[1]\n",
            "FILE, line 2: this is an array; a row is a JSON object",
        ),
        (
            "a.jsonl",
            b"[{\"day\": 1}]",
            "FILE: this is a JSON array: put each of its objects on a line, with jq -c '.[]' ",
        ),
        ("a.jsonl", b"{\n \"day\": 1\n}\n", "FILE: this is a JSON object over several lines"),
        (
            "a.jsonl",
            b"{\"sampling_mode\": \"Flat\", \"iters\": [1], \"times\": [1]}",
            "FILE: this looks like a file of criterion: import it with --from criterion",
        ),
        (
            "a.jsonl",
            b"{\"day\": 1, \"cpu\": \"x\", \"ms\": 1}\n{\"ms\": 1, \"day\": 1, \"cpu\": \"x\", \"ms\": 2}\n",
            "FILE, line 2: the key \"ms\" is repeated at column 40",
        ),
        ("a.jsonl", b"{\"day\": 1, \"cpu\": \"x\", \"ms\": {}}\n", "line 1: the column ms is an object"),
        ("a.jsonl", b"{\"day\": null, \"cpu\": \"x\", \"ms\": 1}\n", "line 1: the column day is empty"),
        (
            "a.jsonl",
            b"{\"days\": 1, \"cpu\": \"x\", \"ms\": 1}\n",
            "line 1: there is no column \"day\"; did you mean \"days\"?",
        ),
        ("a.jsonl", b"{\"day\": 1", "line 1: EOF while parsing"),
    ];
    for (name, text, reason) in cases {
        let scratch = Scratch::new();
        let error = scratch.import(&scratch.table(name, text), &durations()).unwrap_err();
        assert!(error.contains(reason), "{error}\nis not\n{reason}");
        assert_eq!(scratch.names(), [*name]);
    }
}

#[test]
fn an_unknown_baseline_is_refused_with_the_nearest_name() {
    let scratch = Scratch::new();
    let table = scratch.table("a.csv", TABLE);
    let error = |baseline: &str| {
        let choices = Choices { baseline: Some(baseline.to_owned()), ..durations() };
        scratch.import(&table, &choices).unwrap_err()
    };
    assert!(error("arm46").contains("--baseline arm46 names no variant; did you mean arm64?"));
    assert!(error("z").contains("they are arm64, x86_64"));
}

#[test]
fn samples_of_other_names_are_refused() {
    let scratch = Scratch::new();
    let table = scratch.table("a.csv", TABLE);
    scratch.import(&table, &durations()).unwrap();
    let run = scratch.0.join("run");
    let manifest = run_directory::manifest(&run).unwrap();
    let refused = |change: fn(&mut Row)| {
        let samples = fs::read(run.join("samples.jsonl")).unwrap();
        let mut row = scratch.rows().remove(0);
        change(&mut row);
        Journal::open(&run).unwrap().append(&[row]).unwrap();
        let error = run_directory::rows(&run, &manifest).unwrap().find_map(Result::err).unwrap().to_string();
        fs::write(run.join("samples.jsonl"), samples).unwrap();
        error
    };
    assert!(refused(|row| row.cell = "other".to_owned()).contains("line 4: cell is \"other\""));
    assert!(refused(|row| row.variant = VariantIndex::first(9).last().unwrap()).contains("variant is 8"));
}

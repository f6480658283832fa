//! Where an import is written, and what is left of one that fails.

use super::*;

#[test]
fn only_an_empty_directory_is_filled() {
    let scratch = Scratch::new();
    let table = scratch.table("a.csv", TABLE);
    let run = scratch.0.join("run");
    fs::create_dir(&run).unwrap();
    scratch.import(&table, &durations()).unwrap();
    assert!(scratch.import(&table, &durations()).unwrap_err().contains("there is a campaign already"));
    fs::remove_file(run.join("campaign.json")).unwrap();
    assert!(scratch.import(&table, &durations()).unwrap_err().contains("there are files in this directory"));
    let device = Source::Csv("/dev/null".into(), columns());
    let error = import(&device, &durations(), Path::new("none"), &never()).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn a_directory_that_is_a_link_is_filled_and_one_that_was_missing_goes_with_the_failure() {
    let scratch = Scratch::new();
    let table = scratch.table("a.csv", TABLE);
    fs::create_dir(scratch.0.join("empty")).unwrap();
    std::os::unix::fs::symlink("empty", scratch.0.join("run")).unwrap();
    scratch.import(&table, &durations()).unwrap();
    assert_eq!(scratch.rows().len(), 3);
    assert_eq!(fs::read_dir(scratch.0.join("empty")).unwrap().count(), 2);
    assert!(scratch.0.join("run").is_symlink());
    fs::remove_file(scratch.0.join("run")).unwrap();
    fs::remove_dir_all(scratch.0.join("empty")).unwrap();
    // A name that the manifest cannot have is found when it is written.
    let columns = Columns { value: "m\u{7}s".to_owned(), ..columns() };
    let table = scratch.table_of("b.csv", "day,cpu,m\u{7}s\n1,x,1\n1,y,2\n", columns);
    let deep = scratch.0.join("deep/er/run");
    let error = import(&table, &durations(), &deep, &never()).unwrap_err().to_string();
    assert!(error.contains("b.csv: plan.cells[0].name is \"m\\u{7}s\""), "{error}");
    let mut names = scratch.names();
    names.sort();
    assert_eq!(names, ["a.csv", "b.csv"]);
}

#[test]
fn an_import_that_is_interrupted_leaves_nothing() {
    let scratch = Scratch::new();
    let table = scratch.table("a.csv", TABLE);
    let stop = watch::channel(true).1;
    let error = import(&table, &durations(), &scratch.0.join("run"), &stop).unwrap_err().to_string();
    assert_eq!(error, "interrupted; nothing was imported");
    assert_eq!(scratch.names(), ["a.csv"]);
}

#[test]
fn names_of_files_are_escaped() {
    let scratch = Scratch::new();
    let table = scratch.table("\u{1b}[2J\n\u{202e}.csv", "day,cpu,ms\n1,x,1\n1,y,-1\n");
    let error = import(&table, &durations(), &scratch.0.join("run"), &never()).unwrap_err().to_string();
    assert!(error.contains("/\\u{1b}[2J\\n\\u{202e}.csv, line 3: "), "{error}");
    let table = scratch.table("\u{1b}[2J.csv", TABLE);
    let imported = scratch.import(&table, &durations()).unwrap().manifest.imported.unwrap();
    assert!(imported.files[0].ends_with("/\\u{1b}[2J.csv"), "{imported:?}");
}

//! What a release is made of: names that stand in several files are the same in all of them.

use crate::handler::root;
use serde_json::Value;
use std::{collections::BTreeSet, fs};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The targets for which scripts/package.py makes wheels.
fn packaged() -> BTreeSet<String> {
    let script = read("scripts/package.py");
    let table = script.split_once("\nTARGETS = {\n").unwrap().1.split_once("\n}").unwrap().0;
    table.lines().map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn the_release_workflow_builds_every_target() {
    let workflow: Value = serde_saphyr::from_str(&read(".github/workflows/release.yml")).unwrap();
    let matrix = workflow["jobs"]["duet"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let built: BTreeSet<String> = matrix.iter().map(|row| row["target"].as_str().unwrap().to_owned()).collect();
    assert_eq!(built, packaged());
    assert!(built.len() >= 5, "{built:?}");
}

#[test]
fn cargo_binstall_finds_an_archive_for_every_target() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let meta = &manifest["package"]["metadata"]["binstall"];
    // Those that people's machines name; the C library of Linux is one of two.
    let packaged = packaged();
    let named = packaged.iter().map(|target| (target.replace("-musl", "-gnu"), target));
    for (target, built) in named.chain(packaged.iter().map(|target| (target.clone(), target))) {
        let own = meta["overrides"].get(&target);
        let field = |name: &str| own.and_then(|own| own.get(name)).unwrap_or(&meta[name]).as_str().unwrap();
        let suffix = match field("pkg-fmt") {
            "tgz" => "tar.gz",
            format => format,
        };
        let url = field("pkg-url").replace("{ name }", "lambda-duet").replace("{ target }", &target);
        let expected = format!("/v{{ version }}/lambda-duet-{built}.{{ archive-format }}");
        assert!(url.ends_with(&expected), "{target}: {url}");
        assert_eq!(suffix, if built.contains("windows") { "zip" } else { "tar.gz" }, "{target}");
        let program = field("bin-dir").replace("{ name }", "lambda-duet").replace("{ target }", &target);
        assert_eq!(program, format!("lambda-duet-{built}/bin/{{ bin }}{{ binary-ext }}"), "{target}");
    }
}

#[test]
fn documents_name_the_repository_of_the_manifest() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let repository = manifest["package"]["repository"].as_str().unwrap();
    let name = repository.strip_prefix("https://github.com/").unwrap();
    assert!(read("docs/install.md").contains(&format!("--repo {name}\n")));
}

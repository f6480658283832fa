//! The layers of `src/` import in one direction only.

use crate::handler::root;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each layer with the layers it may import from.
const LAYERS: [(&str, &[&str]); 12] = [
    ("protocol", &[]),
    ("host", &["protocol"]),
    ("transport", &[]),
    ("workload", &["protocol"]),
    ("measure", &["protocol", "host", "workload"]),
    ("lambda", &["protocol", "host", "transport", "workload", "measure"]),
    ("portability", &["protocol"]),
    ("campaign", &["protocol", "transport", "portability"]),
    ("deployment", &["protocol", "portability", "campaign"]),
    ("analysis", &["protocol", "campaign"]),
    ("report", &["protocol", "campaign", "deployment", "analysis"]),
    ("cli", &["protocol", "portability", "workload", "campaign", "deployment", "analysis", "report"]),
];

/// All files below a directory.
pub fn sources(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .collect()
}

/// The layers that `code` names as `crate::layer`, also within `use crate::{…}`; its tests left out.
fn imports(code: &str) -> Vec<&'static str> {
    let code = code.split("#[cfg(test)]").next().unwrap();
    let grouped: String = code
        .split("use crate::{")
        .skip(1)
        .filter_map(|rest| rest.split("};").next())
        .flat_map(str::lines)
        .map(|line| format!("crate::{}\n", line.trim()))
        .collect();
    let names = |layer: &&str| [code, &grouped].iter().any(|text| has_word(text, &format!("crate::{layer}")));
    LAYERS.map(|(layer, _)| layer).into_iter().filter(names).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(start, _)| !text[start + word.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

#[test]
fn every_layer_is_listed() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let layers: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    for layer in &layers {
        assert!(LAYERS.iter().any(|(name, _)| name == layer), "src/{layer} is not in the list of layers");
    }
    assert_eq!(layers.len(), LAYERS.len());
}

#[test]
fn imports_run_one_way() {
    for (layer, allowed) in LAYERS {
        let src = root().join("src");
        let mut files = sources(&src.join(layer));
        files.push(src.join(layer).with_extension("rs"));
        for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
            for import in imports(&fs::read_to_string(file).unwrap()) {
                let fine = import == layer || allowed.contains(&import);
                assert!(fine, "{} imports from {import}, but {layer} may not", file.display());
            }
        }
    }
}

#[test]
fn imports_are_recognised() {
    assert_eq!(imports("use crate::measure::clock;"), ["measure"]);
    assert_eq!(imports("use crate::{\n    host,\n    protocol::{A, B},\n};"), ["protocol", "host"]);
    assert_eq!(imports("fn f() -> crate::report::X;\n#[cfg(test)]\nuse crate::lambda;"), ["report"]);
    assert_eq!(imports("use crate::hosting;"), [""; 0]);
}
